import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { EdgeVM } from '@edge-runtime/vm';
import { build as esbuild } from 'esbuild';
import { publint } from 'publint';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { PACKAGE, Project, pack } from './projects.js';
import { ROOT } from './server.js';

const env = { EMBEDDING_SERVICE_URL: inject('url'), EMBEDDING_SERVICE_API_KEY: '' };
const home = new Project();
const project = new Project();
let packed: Awaited<ReturnType<typeof pack>>;

beforeAll(async () => {
  packed = await pack(home.folder);
  await project.install(packed.file);
});
afterAll(() => {
  home.remove();
  project.remove();
});

const COMPILER_OPTIONS = {
  noEmit: true,
  strict: true,
  target: 'ES2022',
  lib: ['ES2022', 'DOM'],
  types: [],
  skipDefaultLibCheck: true, // but not that of this package's declarations
};

// Says the length of a vector, and how an error looks.
const PROGRAM = `
const main = async () => {
  const [embedding] = await embeddingClient.embed(['Пример текста']);
  const error = await embeddingClient.embed(['a'], { dimensions: 4000 }).catch((each) => each);
  console.log(embedding.length, error instanceof EmbeddingServiceError, error.status);
};
main();`;

describe('the packed files', () => {
  test('are what users need, and no more', () => {
    expect(packed.names).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'README.ru.md', 'package.json']),
    );
    const others = packed.names.filter(
      (name) => !/^(dist\/.*\.(js|d\.ts|js\.map|json)|LICENSE|README.*\.md|package\.json)$/.test(name),
    );
    expect(others).toEqual([]);
    expect(packed.bytes).toBeLessThan(120_000);
  });

  test('have the version of the service', () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
      version: string;
    };
    const cmake = readFileSync(join(ROOT, 'CMakeLists.txt'), 'utf8');
    expect(/project\(embedding-service VERSION (\S+)/.exec(cmake)?.[1]).toBe(version);
  });

  test('publint finds nothing', async () => {
    const tarball = Uint8Array.from(readFileSync(packed.file)).buffer;
    expect((await publint({ pack: { tarball }, strict: true })).messages).toEqual([]);
  });

  test('types are right for each way to import: arethetypeswrong', async () => {
    const result = await checkPackage(
      createPackageFromTarballData(Uint8Array.from(readFileSync(packed.file))),
    );
    const problems = result.types === false ? ['no types'] : result.problems;
    // Of `ai` there are ES modules alone, as of @ai-sdk/provider.
    const known = { kind: 'CJSResolvesToESM', entrypoint: './ai', resolutionKind: 'node16-cjs' };
    expect(problems).toEqual([known]);
  });
});

describe('in an empty project', () => {
  test('import and require', async () => {
    const names = '{ embeddingClient, EmbeddingServiceError }';
    project.write('main.mjs', `import ${names} from 'embedding-service';${PROGRAM}`);
    project.write('main.cjs', `const ${names} = require('embedding-service');${PROGRAM}`);
    expect(await project.node(['main.mjs'], env)).toBe('128 true 422');
    expect(await project.node(['main.cjs'], env)).toBe('128 true 422');
  });

  test('without what is for others, a clear error names it', async () => {
    await expect(project.node(['-e', "require('embedding-service/langchain')"])).rejects.toThrow(
      '@langchain/core',
    );
    await expect(project.node(['-e', "require('embedding-service/ai')"])).rejects.toThrow('@ai-sdk/provider');
  });

  test('TypeScript: ES modules, CommonJS, a bundler; declarations checked too', async () => {
    const text = `import { embeddingClient, type Health } from 'embedding-service';
      export const vectors: Promise<Float32Array[]> = embeddingClient.embed(['a'], { as: 'float32' });
      export const health: Promise<Health> = embeddingClient.health();`;
    project.write('a.mts', text);
    project.write('b.cts', text);
    project.write('c.ts', text);
    for (const [module, moduleResolution, ...files] of [
      ['node16', 'node16', 'a.mts', 'b.cts'],
      ['esnext', 'bundler', 'c.ts'],
    ]) {
      const compilerOptions = { ...COMPILER_OPTIONS, module, moduleResolution };
      project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
      await project.tsc();
    }
  });
});

describe('with the AI SDK and LangChain.js', () => {
  const other = new Project();
  beforeAll(async () => {
    await other.install(packed.file);
    other.link('ai', '@ai-sdk/provider', '@langchain/core');
  });
  afterAll(() => other.remove());

  test('import and require', async () => {
    const embedded = `embed({ model: embeddingService.embeddingModel('m'), value: 'a' })
      .then(async ({ embedding }) => console.log(embedding.length,
        (await new EmbeddingServiceEmbeddings().embedQuery('a')).length));`;
    other.write(
      'main.mjs',
      `import { embed } from 'ai';
      import { embeddingService } from 'embedding-service/ai';
      import { EmbeddingServiceEmbeddings } from 'embedding-service/langchain';
      ${embedded}`,
    );
    other.write(
      'main.cjs',
      `const { embed } = require('ai');
      const { embeddingService } = require('embedding-service/ai');
      const { EmbeddingServiceEmbeddings } = require('embedding-service/langchain');
      ${embedded}`,
    );
    expect(await other.node(['main.mjs'], env)).toBe('128 128');
    expect(await other.node(['--no-warnings', 'main.cjs'], env)).toBe('128 128');
  });
});

// Where there is no \`process\`, and nothing else of Node.js.
async function inEdgeRuntime(script: string): Promise<unknown> {
  const vm = new EdgeVM();
  expect(vm.evaluate('typeof process + typeof require + typeof Buffer')).toBe('undefinedundefinedundefined');
  return vm.evaluate(script);
}

describe('in a bundle, and in the runtime of Next.js for the edge', () => {
  const entry = `import { EmbeddingClient, embeddingClient } from 'embedding-service';
    globalThis.answer = (async () => {
      const client = new EmbeddingClient({ baseUrl: ${JSON.stringify(env.EMBEDDING_SERVICE_URL)} });
      const [vector] = await client.embed(['a'], { as: 'float32' });
      const long = Array(100).fill('long '.repeat(2000));
      const late = await client.embed(long, { timeoutMs: 1 }).catch((error) => error.type);
      return [embeddingClient.baseUrl, vector.length, (await client.health()).status, late];
    })();`;
  const answer = ['http://localhost:8001', 128, 'healthy', 'Timeout'];

  test('esbuild', async () => {
    const file = project.write('entry.mjs', entry);
    const { outputFiles, warnings } = await esbuild({
      entryPoints: [file],
      bundle: true,
      minify: true,
      write: false,
      format: 'iife',
      platform: 'browser',
    });
    expect(warnings).toEqual([]);
    const { text } = outputFiles[0]!;
    expect(text.length).toBeLessThan(16_000);
    expect(await inEdgeRuntime(`${text};globalThis.answer`)).toEqual(answer);
  });

  test('what is not used is not in it', async () => {
    const file = project.write(
      'little.mjs',
      "import { EmbeddingServiceError } from 'embedding-service';console.log(EmbeddingServiceError);",
    );
    const { outputFiles } = await esbuild({ entryPoints: [file], bundle: true, write: false, format: 'esm' });
    expect(outputFiles[0]!.text).not.toContain('EmbeddingClient');
  });

  test('vite', async () => {
    const file = project.write('vite.mjs', entry);
    const result = await vite({
      root: project.folder,
      logLevel: 'silent',
      configFile: false,
      build: { write: false, lib: { entry: file, formats: ['iife'], name: 'bundle' } },
    });
    const [bundle] = result as { output: { code: string }[] }[];
    expect(await inEdgeRuntime(`${bundle!.output[0]!.code};globalThis.answer`)).toEqual(answer);
  });
});

describe('as one copied file', () => {
  // What create-next-app writes.
  const tsconfig = {
    compilerOptions: {
      target: 'ES2017',
      skipDefaultLibCheck: true,
      lib: ['dom', 'dom.iterable', 'esnext'],
      strict: true,
      noEmit: true,
      module: 'esnext',
      moduleResolution: 'bundler',
      isolatedModules: true,
      types: [],
      paths: { '@/*': ['./*'] },
    },
    include: ['**/*.ts'],
  };

  test('as the first user has it: compiled and run', async () => {
    const next = new Project();
    next.write('lib/embedding-client.ts', readFileSync(join(PACKAGE, 'embedding-client.ts'), 'utf8'));
    next.write('tsconfig.json', JSON.stringify(tsconfig));
    const file = next.write(
      'page.ts',
      `import { embeddingClient } from '@/lib/embedding-client';
      export async function length(text: string): Promise<number> {
        const [embedding] = await embeddingClient.embed([text]);
        return embedding.length;
      }
      length('Пример текста').then(console.log);`,
    );
    await next.tsc();
    const outfile = join(next.folder, 'page.mjs');
    await esbuild({ entryPoints: [file], bundle: true, format: 'esm', platform: 'node', outfile });
    expect(await next.node([outfile], env)).toBe('128');
    next.remove();
  });
});
