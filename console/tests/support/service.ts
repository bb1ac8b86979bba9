/** Runs the real server on a free port, as tests/e2e/server.py does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
const path = (relative: string) => fileURLToPath(new URL(relative, root));

export const binary = process.env['EMBEDDING_SERVICE_BIN'] ?? path('build/release/embedding-service');
export const models = {
  tinyBgeM3: path('tests/data/tiny-bge-m3'),
  tinySplade: path('tests/data/tiny-splade'),
  tinyReranker: path('tests/data/tiny-reranker'),
  miniLm: path('models/all-MiniLM-L6-v2'),
} as const;
/** Where pictures go. */
export const pictures = new URL('build/console/', root);

/** Without what would configure the server; in f32, and without a network. */
function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = /^(EMBEDDING_|HF_|HUGGING|SENTENCE_TRANSFORMERS_|TRANSFORMERS_)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), HF_HUB_OFFLINE: '1', EMBEDDING_SERVICE_DTYPE: 'f32', ...more };
}

export interface Service {
  readonly url: string;
  readonly port: number;
  /** Asks the server to stop, and waits until it has. */
  stop(): Promise<void>;
  /** Has it accept connections, which the system does, and answer nothing until `resume`. */
  pause(): void;
  resume(): void;
}

export interface StartOptions {
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether only to wait until it listens, not until its models are there. */
  readonly loading?: boolean;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Until the port answers: a server that still loads says nowhere that it listens. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    try {
      await fetch(`${url}/livez`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export async function start(arguments_: readonly string[], options: StartOptions = {}): Promise<Service> {
  const { port = 0, env = {}, loading = false } = options;
  const child = spawn(binary, ['serve', '--port', String(port), ...arguments_], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const running = new Promise<string>((resolve, reject) => {
    const hear = (bytes: Buffer) => {
      said += bytes.toString();
      const found = /running on (http:\S+)/.exec(said);
      if (found) resolve(found[1]!);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
  running.catch(() => undefined); // told by whoever waits for it
  const url = loading ? `http://127.0.0.1:${port}` : await running;
  if (loading) await answers(url, child);
  return {
    url,
    port: Number(new URL(url).port),
    stop: () => stop(child),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}
