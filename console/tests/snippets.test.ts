import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transpileModule, ModuleKind, ScriptTarget } from 'typescript';
import { snippetLanguages, snippetOf, type SnippetLanguage } from '../src/api/snippets';
import { models, start, type Service } from './support/service';

let service: Service;
beforeAll(async () => {
  service = await start(['--model', models.tinyBgeM3, '--api-key', 's3cret']);
});
afterAll(() => service.stop());

const env = { ...process.env, EMBEDDING_SERVICE_API_KEY: 's3cret' };

/** Runs the code as a person would, and gives what it prints. */
const runners: Readonly<Record<SnippetLanguage, (code: string) => string>> = {
  curl: (code) => execFileSync('sh', ['-c', code], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  Python: (code) => execFileSync('python3', ['-c', code], { env, encoding: 'utf8' }),
  TypeScript: (code) => {
    const { outputText } = transpileModule(code.replace('console.log(await response.json())', 'console.log(JSON.stringify(await response.json()))'), {
      compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
    });
    return execFileSync('node', ['--input-type=module', '-e', outputText], { env, encoding: 'utf8' });
  },
};

test.each(snippetLanguages)('%s sends what the page has sent', (language) => {
  const sent = {
    path: 'embed',
    body: { texts: [`It's "quoted"`, 'Привет\\ $HOME `ls`', 'a\u2028b'], model: 'tiny-bge-m3', return_dense: false, return_sparse: true },
  };
  const code = snippetOf(language, service.url, sent, true);
  expect(code).not.toContain('s3cret');
  const printed = runners[language](code);
  // Python prints its own way of writing the same.
  const answer = JSON.parse(language === 'Python' ? printed.replaceAll("'", '"') : printed) as { lexical_weights: unknown[] };
  expect(answer.lexical_weights).toHaveLength(3);
});

test('without a key none is asked for', () => {
  for (const language of snippetLanguages) {
    expect(snippetOf(language, 'http://localhost:8001', { path: 'embed', body: { texts: ['a'] } }, false)).not.toContain('KEY');
  }
});
