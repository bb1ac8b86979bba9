import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { EmbeddingClient } from '../src/index.js';
import { PACKAGE, Project, pack } from './projects.js';

const READMES = ['README.md', 'README.ru.md'];
const LINKED = ['ai', '@ai-sdk/provider', '@langchain/core', '@langchain/classic', '@types/node'];

interface Block {
  readme: string;
  language: string;
  text: string;
  place: string;
}

const blocks: Block[] = READMES.flatMap((readme) => {
  const text = readFileSync(join(PACKAGE, readme), 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    readme,
    language: match[1]!,
    text: match[2]!,
    place: `${readme}:${text.slice(0, match.index).split('\n').length + 1}`,
  }));
});
const programs = blocks.filter((block) => block.language === 'ts');

const project = new Project();
beforeAll(async () => {
  const { file } = await pack(project.folder);
  await project.install(file);
  project.link(...LINKED);
});
afterAll(() => project.remove());

test('both READMEs have the same blocks', () => {
  const languages = (readme: string): string[] =>
    blocks.filter((block) => block.readme === readme).map((block) => block.language);
  expect(languages('README.ru.md')).toEqual(languages('README.md'));
  expect(new Set(languages('README.md'))).toEqual(new Set(['sh', 'ini', 'ts']));
});

test('programs are right for the compiler', async () => {
  programs.forEach((program, i) => project.write(`block${i}.ts`, program.text));
  const compilerOptions = {
    noEmit: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    module: 'esnext',
    moduleResolution: 'bundler',
    moduleDetection: 'force',
    skipLibCheck: true,
    types: ['node'],
  };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['block*.ts'] }));
  await project.tsc();
});

test.each(programs)('the program at $place runs', async ({ text, place }) => {
  const { code } = await transform(text, { loader: 'ts' });
  const name = `${place.replace(/\W/g, '-')}.mjs`;
  project.write(name, code);
  expect(await project.node([name], { EMBEDDING_SERVICE_URL: inject('url') })).not.toBe('');
});

describe('what is not a program', () => {
  test('commands install what the programs were run with', () => {
    for (const { text } of blocks.filter((block) => block.language === 'sh')) {
      const [npm, install, ...names] = text.trim().split(' ');
      expect([npm, install]).toEqual(['npm', 'install']);
      expect(['embedding-service', ...LINKED]).toEqual(expect.arrayContaining(names));
    }
  });

  test('variables are those that are read', async () => {
    const client = new EmbeddingClient({ baseUrl: inject('guardedUrl') });
    for (const { text } of blocks.filter((block) => block.language === 'ini')) {
      const variables = Object.fromEntries(
        text
          .trim()
          .split('\n')
          .map((line) => line.split('=') as [string, string]),
      );
      project.write(
        'env.mjs',
        "import { embeddingClient } from 'embedding-service'; console.log(embeddingClient.baseUrl)",
      );
      expect(await project.node(['env.mjs'], variables)).toBe(variables.EMBEDDING_SERVICE_URL);
      const guarded = { ...variables, EMBEDDING_SERVICE_URL: client.baseUrl };
      project.write(
        'key.mjs',
        "import { embeddingClient } from 'embedding-service'; await embeddingClient.embed(['a'])",
      );
      await project.node(['key.mjs'], guarded);
    }
  });
});
