#!/usr/bin/env node
// `embedding-service` of the npm package: runs the server out of the package of this platform, as if it had
// been called itself: its arguments, its input and output, its signals, its exit code.
'use strict';

const { spawn } = require('node:child_process');
const { constants, release } = require('node:os');
const { dirname, join } = require('node:path');

const own = require('../package.json');

const SCOPE = '@embedding-service/';
const PARENT_CHECK_MS = 250;
const FROM_SOURCE = `build it from source: clone ${own.homepage ?? 'the repository'} and ./run.sh`;

function fail(message) {
  process.stderr.write(`embedding-service: ${message}\n`);
  process.exit(1);
}

/** The package of this platform: where its program is, and the oldest glibc that it runs with. */
function platformPackage() {
  const name = `${SCOPE}${process.platform}-${process.arch}`;
  const known = Object.keys(own.optionalDependencies ?? {});
  if (!known.includes(name)) {
    const platforms = known.map((other) => other.slice(SCOPE.length)).join(', ');
    fail(
      `there is no package with the server for ${process.platform}-${process.arch}, only for ${platforms}; ` +
        `${FROM_SOURCE}, or use the package against a server elsewhere (EMBEDDING_SERVICE_URL)`,
    );
  }
  let manifest;
  try {
    manifest = require.resolve(`${name}/package.json`);
  } catch {
    const musl = process.platform === 'linux' && glibcVersion() === undefined;
    fail(
      musl
        ? `the server needs glibc, which this system (Alpine?) does not have; use an image with Debian ` +
            `(node:22-slim), or ${FROM_SOURCE}`
        : `the package ${name}, which has the server, is not installed. Was it left out by ` +
            `--omit=optional, or is node_modules from another machine? Install again: ` +
            `npm install --include=optional, or npm install ${name}@${own.version}; if npm has none for this ` +
            `platform yet, ${FROM_SOURCE}`,
    );
  }
  const platform = require(manifest);
  if (platform.version !== own.version) {
    fail(
      `the package ${name} is of version ${platform.version}, and embedding-service of ${own.version}; ` +
        `install again: npm install embedding-service@${own.version}`,
    );
  }
  const { program, glibc, macos } = platform.embeddingService;
  if (macos !== undefined && Number.parseInt(release(), 10) < macos.kernel) {
    fail(`the server needs macOS ${macos.version} or later; on this one ${FROM_SOURCE}`);
  }
  return { name, program: join(dirname(manifest), program), glibc };
}

/** Of this machine; undefined where the C library is another. */
function glibcVersion() {
  return process.report?.getReport().header.glibcVersionRuntime;
}

function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

const platform = platformPackage();
// In this process's group: what ends the whole group, as a terminal's Ctrl-C does, ends the server too, and
// the signal that is passed on besides is one with it for the server.
const server = spawn(platform.program, process.argv.slice(2), { stdio: 'inherit' });

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => server.kill(signal));
}

// npm, pnpm and Yarn start commands by a shell, which a signal ends without reaching those that it started.
if (process.env.npm_lifecycle_event !== undefined) {
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    server.kill('SIGTERM');
  }, PARENT_CHECK_MS);
  watch.unref();
}

server.on('error', (error) => {
  const why =
    error.code === 'EACCES'
      ? `it may not be executed: chmod +x it, or is its folder mounted with noexec?`
      : error.code === 'ENOENT'
        ? `it is not there, or the system has no glibc; install ${platform.name} again`
        : error.message;
  fail(`${platform.program} cannot be started: ${why}`);
});

server.on('exit', (code, signal) => {
  if (signal !== null) {
    // By the same signal, so that whoever waits sees what happened.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000);
    return;
  }
  if (code !== 0 && platform.glibc !== undefined) {
    const here = glibcVersion();
    if (here !== undefined && isOlder(here, platform.glibc)) {
      fail(`the server needs glibc ${platform.glibc}, and this system has ${here}; use a newer system or ${FROM_SOURCE}`);
    }
  }
  process.exitCode = code;
});
