#!/usr/bin/env node
// Makes what is published on npm, as .tgz files: the package of one platform, with the server, and the main
// package, which is clients/typescript with the launcher and the platforms' packages as optional dependencies.
//
//   node clients/npm/build_packages.mjs --binary FILE [--platform linux-x64] [--licences FOLDER] [--mlx FOLDER]
//     [--main FOLDER] [--out FOLDER]
//
// The binary is one that was built with -DEMBEDDING_STATIC=ON; clients/npm/build.sh does both. The version is
// the project's, of CMakeLists.txt. --licences is the /usr/share/doc of the packages that it was linked with,
// --mlx what scripts/fetch_mlx.sh fetched, of which a Mac's package has the library and the kernels, --main
// clients/typescript, whose npm packages are installed already.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..', '..');
const platforms = JSON.parse(readFileSync(join(here, 'platforms.json'), 'utf8'));

const MOST_BYTES = 15_000_000;
// What macOS has, and MLX, which lies beside the program.
const MAC_LIBRARIES = /^(\/usr\/lib\/|\/System\/Library\/|@rpath\/libmlx\.dylib$)/;
const MLX_FILES = ['libmlx.dylib', 'mlx.metallib'];
const LIBRARIES = /^(libc\.so\.6|libm\.so\.6|ld-linux-[\w-]+\.so\.\d)$/;
// What is linked in, by Debian's packages, which have the licences.
const LINKED = ['libboost1.74-dev', 'libboost-dev', 'libcli11-dev', 'libcurl4-openssl-dev', 'libfmt-dev', 'libhiredis-dev',
  'libhwy-dev', 'libsimdjson-dev', 'libspdlog-dev', 'libssl-dev', 'libtoml11-dev', 'libutf8proc-dev',
  'prometheus-cpp-dev', 'gcc-12-base']; // prettier-ignore
const FORMULAS = ['boost', 'cli11', 'fmt', 'highway', 'hiredis', 'openssl@3', 'prometheus-cpp', 'simdjson', 'spdlog',
  'toml11', 'utf8proc']; // prettier-ignore

const { values: options } = parseArgs({
  options: {
    binary: { type: 'string', default: join(root, 'build', 'npm', 'embedding-service') },
    platform: { type: 'string', default: `${process.platform}-${process.arch}` },
    licences: { type: 'string', default: '/usr/share/doc' },
    mlx: { type: 'string', default: join(root, 'build', 'mlx-wheel', 'files') },
    main: { type: 'string', default: join(root, 'clients', 'typescript') },
    out: { type: 'string', default: join(root, 'build', 'npm-packages') },
  },
});

function fail(message) {
  console.error(`build_packages.mjs: ${message}`);
  process.exit(1);
}

function run(program, args, cwd) {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LC_ALL: 'C' } });
}

function projectVersion() {
  const found = /^project\(embedding-service VERSION (\d+\.\d+\.\d+)/m.exec(readFileSync(join(root, 'CMakeLists.txt'), 'utf8'));
  return found?.[1] ?? fail('CMakeLists.txt names no version');
}

/** Of an ELF file: the oldest glibc that has what it asks for. Fails where it asks for other libraries. */
function neededGlibc(program, machine) {
  const header = run('readelf', ['-hW', program]);
  const kinds = { EM_X86_64: 'X86-64', EM_AARCH64: 'AArch64' };
  if (!header.includes(kinds[machine])) fail(`${program} is not a program for ${options.platform}`);
  const needed = [...run('readelf', ['-dW', program]).matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
  const others = needed.filter((library) => !LIBRARIES.test(library));
  if (others.length > 0) fail(`${program} needs ${others.join(', ')}: configure it with -DEMBEDDING_STATIC=ON`);
  const minors = [...run('readelf', ['-VW', program]).matchAll(/GLIBC_2\.(\d+)/g)].map((match) => Number(match[1]));
  return `2.${Math.max(...minors)}`;
}

/** Has a Mac's program look for MLX in the package's folder `lib`. Fails where it asks for other libraries. */
function completeMacPackage(program, folder) {
  const lines = run('otool', ['-L', program]).trim().split('\n').slice(1);
  const others = lines.map((line) => line.trim().split(' ')[0]).filter((library) => !MAC_LIBRARIES.test(library));
  if (others.length > 0) fail(`${program} needs ${others.join(', ')}: configure it with -DEMBEDDING_STATIC=ON`);
  const paths = [...run('otool', ['-l', program]).matchAll(/cmd LC_RPATH\n.*\n\s*path (.+) \(offset/g)].map((match) => match[1]);
  for (const path of paths) run('install_name_tool', ['-delete_rpath', path, program]);
  run('install_name_tool', ['-add_rpath', '@loader_path/../lib', program]);
  run('codesign', ['--force', '--sign', '-', program]); // what was changed is signed anew, or the system ends it
  mkdirSync(join(folder, 'lib'));
  for (const file of MLX_FILES) copyFileSync(join(options.mlx, 'mlx', 'lib', file), join(folder, 'lib', file));
}

function pack(folder) {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], folder));
  console.log(`${join(out, packed.filename)} ${packed.size} bytes, ${packed.unpackedSize} unpacked`);
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function notices(platform) {
  const parts = [];
  if (platform.startsWith('darwin')) {
    const licences = readdirSync(options.mlx).filter((name) => name.endsWith('.dist-info'));
    parts.push(`==== MLX\n\n${readFileSync(join(options.mlx, licences[0], 'licenses', 'LICENSE'), 'utf8')}`);
    for (const formula of FORMULAS) {
      const prefix = run('brew', ['--prefix', formula]).trim();
      const files = readdirSync(prefix).filter((name) => /^(LICEN[CS]E|COPYING)/.test(name));
      if (files.length === 0) fail(`${prefix} has no licence`);
      for (const file of files) parts.push(`==== ${formula}\n\n${readFileSync(join(prefix, file), 'utf8')}`);
    }
    return parts.join('\n\n');
  }
  for (const name of LINKED) {
    const file = join(options.licences, name, 'copyright');
    if (existsSync(file)) parts.push(`==== ${name}\n\n${readFileSync(file, 'utf8')}`);
  }
  return parts.join('\n\n');
}

function platformPackage(platform, stage) {
  const { os, cpu, libc, machine, macos } = platforms[platform] ?? fail(`no platform is called ${platform}; there are ${Object.keys(platforms).join(', ')}`);
  if (os === 'darwin' && process.platform !== 'darwin') {
    fail(
      `the package for ${platform} is made on a Mac: what another machine links for it has a C++ library of its own, where ` +
        `MLX has Apple's, and an exception of MLX would end the program. .github/workflows/macos.yml makes it`,
    );
  }
  const folder = join(stage, platform);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const program = join(folder, 'bin', 'embedding-service');
  copyFileSync(options.binary, program);
  run(process.env.STRIP ?? 'strip', [program]);
  chmodSync(program, 0o755);
  const bytes = statSync(program).size;
  if (bytes > MOST_BYTES) fail(`${options.binary} has ${bytes} bytes without its symbols, more than ${MOST_BYTES}`);
  if (os === 'darwin') completeMacPackage(program, folder);
  const glibc = os === 'linux' ? neededGlibc(program, machine) : undefined;
  writeJson(join(folder, 'package.json'), {
    name: `@embedding-service/${platform}`,
    version,
    description: `The server of embedding-service for ${platform}; installed by the package embedding-service`,
    license: 'Apache-2.0',
    ...repository(),
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    preferUnplugged: true, // a program in a zip cannot be run (Yarn)
    files: ['bin', 'lib', 'THIRD_PARTY_LICENCES'],
    embeddingService: { program: 'bin/embedding-service', ...(glibc && { glibc }), ...(macos && { macos }) },
  });
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'THIRD_PARTY_LICENCES'), notices(platform));
  writeFileSync(
    join(folder, 'README.md'),
    `The server of [embedding-service](https://www.npmjs.com/package/embedding-service) for ${platform}` +
      `${glibc ? ` with glibc ${glibc} or later` : ''}${macos ? `, macOS ${macos.version} or later` : ''}. Install \`embedding-service\`, which brings it.\n`,
  );
  pack(folder);
  console.log(`${platform}: ${bytes} bytes${glibc ? `, glibc ${glibc}` : ''}`);
}

/** Where the project lives, if the main package says so. */
function repository() {
  const { repository, homepage } = JSON.parse(readFileSync(join(options.main, 'package.json'), 'utf8'));
  return { ...(repository && { repository }), ...(homepage && { homepage }) };
}

function mainPackage(stage) {
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', stage], options.main));
  run('tar', ['xzf', filename], stage);
  const folder = join(stage, 'package');
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(here, 'launcher.cjs'), join(folder, 'bin', 'embedding-service.cjs'));
  chmodSync(join(folder, 'bin', 'embedding-service.cjs'), 0o755);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  delete manifest.scripts;
  delete manifest.devDependencies;
  writeJson(join(folder, 'package.json'), {
    ...manifest,
    version,
    bin: { 'embedding-service': 'bin/embedding-service.cjs' },
    files: [...manifest.files, 'bin'],
    optionalDependencies: Object.fromEntries(Object.keys(platforms).map((name) => [`@embedding-service/${name}`, version])),
  });
  pack(folder);
}

const out = resolve(options.out);
const version = projectVersion();
mkdirSync(out, { recursive: true });
const stage = mkdtempSync(join(tmpdir(), 'embedding-service-npm-'));
try {
  platformPackage(options.platform, stage);
  mainPackage(stage);
} finally {
  rmSync(stage, { recursive: true });
}
