// Writes embedding-client.ts: the client (not what is for `ai` or LangChain.js) as one file, to be copied
// into a project. `node scripts/one-file.mjs --check` only says whether it is what the sources make.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'embedding-client.ts');

const HEADER = `// The client of embedding-service as one file, which needs nothing else. Version VERSION.
// Made from the package's sources by \`node scripts/one-file.mjs\`: change it there.
// SPDX-License-Identifier: Apache-2.0
`;

function parse(path) {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The file that `statement` imports or exports from, if it is one of ours. */
function fileOf(statement, from) {
  const name = statement.moduleSpecifier?.text;
  return name?.startsWith('.') ? join(dirname(from), name.replace(/\.js$/, '.ts')) : undefined;
}

/** Each file after those that it imports. */
function collect(path, order = [], open = new Set()) {
  if (order.some((file) => file.path === path) || open.has(path)) return order;
  open.add(path);
  const source = parse(path);
  for (const statement of source.statements) {
    const file = fileOf(statement, path);
    if (file) collect(file, order, open);
  }
  order.push({ path, source });
  return order;
}

function exportedNames(index) {
  const names = new Set();
  for (const statement of index.statements) {
    for (const element of statement.exportClause?.elements ?? []) names.add(element.name.text);
  }
  return names;
}

/** The statement's text, without `export` if its name is not one of `kept`. */
function textOf(statement, source, kept) {
  const text = statement.getFullText(source).trim();
  const name = statement.name?.text ?? statement.declarationList?.declarations[0]?.name.text;
  if (kept.has(name)) return text;
  const word = statement.modifiers?.find((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
  if (!word) return text;
  const at = word.getStart(source) - statement.getFullStart();
  const full = statement.getFullText(source);
  return (full.slice(0, at) + full.slice(at + 'export '.length)).trim();
}

async function oneFile() {
  const index = join(root, 'src', 'index.ts');
  const files = collect(index).filter((file) => file.path !== index);
  const kept = exportedNames(parse(index));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const parts = files.flatMap(({ source }) =>
    source.statements
      .filter((statement) => !ts.isImportDeclaration(statement))
      .map((statement) => textOf(statement, source, kept)),
  );
  const text = [HEADER.replace('VERSION', version), ...parts].join('\n\n');
  return format(text, { ...(await resolveConfig(target)), filepath: target });
}

const text = await oneFile();
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('embedding-client.ts is not what the sources make: node scripts/one-file.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
