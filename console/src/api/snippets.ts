import type { Sent } from './types';

export type SnippetLanguage = 'curl' | 'TypeScript' | 'Python';
export const snippetLanguages: readonly SnippetLanguage[] = ['curl', 'TypeScript', 'Python'];

const KEY = 'EMBEDDING_SERVICE_API_KEY';

/** JSON as Python writes it: its own words for true, false and null. */
function pythonOf(value: unknown, indent: string): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null) return 'None';
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => `${inner}${pythonOf(item, inner)},\n`).join('')}${indent}]`;
  }
  if (typeof value === 'object') {
    const lines = Object.entries(value as object).map(
      ([name, item]) => `${inner}${JSON.stringify(name)}: ${pythonOf(item, inner)},\n`,
    );
    return `{\n${lines.join('')}${indent}}`;
  }
  return JSON.stringify(value);
}

/** Within single quotes a shell takes everything as it is but the quote itself. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

const writers: Readonly<Record<SnippetLanguage, (url: string, body: Sent['body'], hasKey: boolean) => string>> = {
  curl: (url, body, hasKey) =>
    [
      `curl ${quoted(url)}`,
      ...(hasKey ? [`-H "X-API-Key: $${KEY}"`] : []),
      `-H 'Content-Type: application/json'`,
      `-d ${quoted(JSON.stringify(body, null, 2))}`,
    ].join(' \\\n  '),

  TypeScript: (url, body, hasKey) => {
    const json = JSON.stringify(body, null, 2).replaceAll('\n', '\n  ');
    const headers = [
      ...(hasKey ? [`    'X-API-Key': process.env.${KEY}!,`] : []),
      `    'Content-Type': 'application/json',`,
    ].join('\n');
    return `const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: {
${headers}
  },
  body: JSON.stringify(${json}),
});
if (!response.ok) throw new Error(await response.text());
console.log(await response.json());`;
  },

  Python: (url, body, hasKey) => `import json
${hasKey ? 'import os\n' : ''}import urllib.request

body = ${pythonOf(body, '')}
request = urllib.request.Request(
    ${JSON.stringify(url)},
    json.dumps(body).encode(),
    {${hasKey ? `"X-API-Key": os.environ["${KEY}"], ` : ''}"Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as response:
    print(json.load(response))`,
};

/** A program that sends the same request and prints the answer. The key itself is never in it. */
export function snippetOf(language: SnippetLanguage, base: string, sent: Sent, hasKey: boolean): string {
  return writers[language](`${base}/${sent.path}`, sent.body, hasKey);
}
