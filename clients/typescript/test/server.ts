import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..', '..', '..');

const BINARY = resolve(
  process.env.EMBEDDING_SERVICE_BIN ?? join(ROOT, 'build', 'release', 'embedding-service'),
);

export const TINY_BGE_M3 = join(ROOT, 'tests', 'data', 'tiny-bge-m3');
export const TINY_RERANKER = join(ROOT, 'tests', 'data', 'tiny-reranker');
export const MINILM = join(ROOT, 'models', 'all-MiniLM-L6-v2');

// This process's, without what would configure the binary, and without a network.
function environment(): NodeJS.ProcessEnv {
  const own = /^(EMBEDDING_|HF_|HUGGING|SENTENCE_TRANSFORMERS_|TRANSFORMERS_)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), HF_HUB_OFFLINE: '1', EMBEDDING_SERVICE_DTYPE: 'f32' };
}

/** The real binary. */
export class Server {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';
  /** Known once it listens. */
  url = '';

  private constructor(args: readonly string[]) {
    if (!existsSync(BINARY))
      throw new Error(`${BINARY} is not there: build it, or set EMBEDDING_SERVICE_BIN`);
    this.#child = spawn(BINARY, ['serve', ...args], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'exit');
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
  }

  /** Starts one on `port`, by default a free one, and does not wait for it. */
  static begin(args: readonly string[], port = 0): Server {
    return new Server([...args, '--port', String(port)]);
  }

  /** Starts one and waits until it is ready. */
  static async start(...args: readonly string[]): Promise<Server> {
    const server = Server.begin(args);
    await server.ready();
    return server;
  }

  async ready(): Promise<void> {
    while (!this.url) {
      const found = /running on (https?:\/\/\S+)/.exec(this.#output);
      if (found?.[1]) this.url = found[1];
      else if (this.#child.exitCode !== null) throw new Error(`the server did not start:\n${this.#output}`);
      else await Promise.race([once(this.#child.stdout!, 'data'), this.#ended]);
    }
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** SIGTERM, and what is in hand is answered. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
