// Builds dist/: ES modules, CommonJS in dist/cjs, source maps, and the declarations of both.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const src = join(root, 'src');
const dist = join(root, 'dist');
const cjs = join(dist, 'cjs');

function files(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

rmSync(dist, { recursive: true, force: true });
const sources = files(src, '.ts');
const common = { outbase: src, sourcemap: true, target: 'es2022', platform: 'neutral', logLevel: 'warning' };
await build({ ...common, entryPoints: sources, outdir: dist, format: 'esm' });
// Not of ai/: @ai-sdk/provider has ES modules alone, which require() of Node 20.19 and later takes too.
const required = sources.filter((file) => !relative(src, file).startsWith('ai'));
await build({ ...common, entryPoints: required, outdir: cjs, format: 'cjs' });
writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const declarations = ['-p', root, '--emitDeclarationOnly', '--rootDir', src, '--outDir', dist];
const done = spawnSync(process.execPath, [tsc, ...declarations], { stdio: 'inherit' });
if (done.status !== 0) process.exit(1);
// The same text means the CommonJS files there, by the package.json beside them.
for (const file of files(dist, '.d.ts')) {
  const name = relative(dist, file);
  if (name.startsWith('ai')) continue;
  mkdirSync(dirname(join(cjs, name)), { recursive: true });
  cpSync(file, join(cjs, name));
}
copyFileSync(join(root, '..', '..', 'LICENSE'), join(root, 'LICENSE'));
