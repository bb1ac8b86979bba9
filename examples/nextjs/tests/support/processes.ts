import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { BINARY, EXAMPLE } from './paths';

/** A program that a test started: what it says, and its end by the process that was started. */
export class Running {
  output = '';
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();

  constructor(command: string, parameters: string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, parameters, { cwd: EXAMPLE, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#tell();
      });
    }
    this.#child.on('exit', () => this.#tell()).on('error', () => this.#tell());
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** Resolves when the output matches; rejects if the program ends before. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.ended) throw new Error(`ended without saying ${pattern}:\n${this.output}`);
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  async stop(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exit;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What is not about these programs: a test's surroundings change nothing. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const own = /^(EMBEDDING_|HF_|VITEST|NODE_ENV|NODE_OPTIONS|CONTENT_DIR|INDEX_DIR|PORT)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), NODE_ENV: 'production' };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The real service. `key`: what requests must send. `options`: further ones of its command line. */
export async function startService(port: number, models: string[], key?: string, options: string[] = []): Promise<Running> {
  const parameters = [...models.flatMap((model) => ['--model', model]), ...options];
  const service = new Running(BINARY, ['serve', '--host', '127.0.0.1', '--port', String(port), ...parameters], {
    ...plainEnvironment(),
    HF_HUB_OFFLINE: '1',
    EMBEDDING_SERVICE_DTYPE: 'f32',
    ...(key && { EMBEDDING_SERVICE_API_KEY: key }),
  });
  await service.said(/running on http/);
  return service;
}

const next = path.join(EXAMPLE, 'node_modules/next/dist/bin/next');

/** This application as `npm run dev` starts it, but by Next.js's own process, which is to be stopped. */
export async function startDevelopment(env: Record<string, string>): Promise<Running> {
  const { scripts } = JSON.parse(readFileSync(path.join(EXAMPLE, 'package.json'), 'utf8')) as { scripts: { dev: string } };
  const words = scripts.dev.split(' ');
  const at = words.indexOf('next');
  const variables = Object.fromEntries(words.slice(0, at).map((word) => word.split('=')));
  const app = new Running(process.execPath, [next, ...words.slice(at + 1)], {
    ...plainEnvironment(),
    NODE_ENV: 'development',
    ...variables,
    ...env,
  });
  await app.said(/Ready in/);
  return app;
}

/** This application as it was built. */
export async function startApp(port: number, env: Record<string, string>): Promise<Running> {
  const app = new Running(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', String(port)], {
    ...plainEnvironment(),
    NEXT_TELEMETRY_DISABLED: '1',
    ...env,
  });
  await app.said(/Ready in/);
  return app;
}
