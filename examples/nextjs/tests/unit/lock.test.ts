import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockDirectory } from '@/lib/lock';
import { EXAMPLE } from '../support/paths';

let directory: string;
const closing: (() => void | Promise<unknown>)[] = [];
beforeEach(() => {
  directory = path.join(mkdtempSync(path.join(tmpdir(), 'lock-')), 'index');
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

it('may be taken again by the same process', async () => {
  await lockDirectory(directory);
  await lockDirectory(directory);
  expect(readFileSync(`${directory}.lock-1`, 'utf8')).toBe(String(process.pid));
});

it('is refused while another process has it, and says which', async () => {
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  writeFileSync(`${directory}.lock-1`, String(other.pid));
  await expect(lockDirectory(directory)).rejects.toThrow(`in use by process ${other.pid}`);
  other.stdin.end();
  await once(other, 'exit');
  await lockDirectory(directory);
  expect(readdirSync(path.dirname(directory))).toEqual(['index.lock-2']);
});

it('is taken from a file that says nothing', async () => {
  writeFileSync(`${directory}.lock-1`, '');
  await lockDirectory(directory);
});

interface Message {
  ready?: true;
  waits?: string;
  took?: boolean;
  error?: string;
}

/** A process that takes a step when it is told to. */
class Taker {
  readonly #child: ChildProcess;
  readonly #ended = new AbortController();
  last: Message = {};

  private constructor(module: string) {
    this.#child = fork(path.join(EXAMPLE, 'tests/support/lock-process.mjs'), [module]);
    this.#child.once('exit', (code) => this.#ended.abort(new Error(`the process ended with ${code}`)));
  }

  static async start(module: string): Promise<Taker> {
    const taker = new Taker(module);
    await taker.#answer();
    return taker;
  }

  /** Until it would look at a file, or is done. */
  async #answer(): Promise<void> {
    const heard = once(this.#child, 'message', { signal: this.#ended.signal });
    [this.last] = (await heard) as [Message];
  }

  async take(folder: string): Promise<void> {
    this.#child.send({ take: folder });
    await this.#answer();
  }

  /** Takes it without a pause. */
  async takeAtOnce(folder: string): Promise<void> {
    await this.take(folder);
    while (!this.isDone) await this.step();
  }

  get isDone(): boolean {
    return this.last.took !== undefined;
  }

  async step(): Promise<void> {
    this.#child.send({});
    await this.#answer();
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

/** `lib/lock.ts` for processes of Node.js alone. */
function writeModule(): string {
  const module = path.join(path.dirname(directory), 'lock.mjs');
  const source = readFileSync(path.join(EXAMPLE, 'lib/lock.ts'), 'utf8');
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 };
  writeFileSync(module, transpileModule(source, { compilerOptions }).outputText);
  return module;
}

it('that a process left is taken by one alone of three, in whichever order they look at the files', async () => {
  const module = writeModule();
  const folders = Array.from({ length: 300 }, (_, i) => path.join(path.dirname(directory), String(i), 'index'));

  const gone = await Taker.start(module);
  for (const each of folders) {
    mkdirSync(path.dirname(each));
    await gone.takeAtOnce(each);
    expect(gone.last).toEqual({ took: true });
  }
  await gone.stop();

  const takers = await Promise.all([1, 2, 3].map(() => Taker.start(module)));
  closing.push(() => Promise.all(takers.map((taker) => taker.stop())));
  let state = 1; // of the minimal standard generator: every run has the same orders
  const below = (limit: number) => (state = (state * 48_271) % 2_147_483_647) % limit;
  for (const each of folders) {
    for (const taker of takers) await taker.take(each);
    for (;;) {
      const waiting = takers.filter((taker) => !taker.isDone);
      if (waiting.length === 0) break;
      await waiting[below(waiting.length)]!.step();
    }
    expect(takers.filter(({ last }) => last.took)).toHaveLength(1);
    for (const { last } of takers) if (!last.took) expect(last.error).toMatch(/in use by process \d+: stop that/);
    expect(readdirSync(path.dirname(each))).toHaveLength(1);
  }
});

it('is not taken by one that slept since it saw a lock two owners ago', async () => {
  const module = writeModule();
  const [first, second, third, late] = await Promise.all([1, 2, 3, 4].map(() => Taker.start(module)));
  closing.push(() => Promise.all([third!.stop(), late!.stop()]));
  await first!.takeAtOnce(directory);
  await first!.stop();
  await late!.take(directory);
  while (late!.last.waits !== 'writeFile') await late!.step(); // it has seen that the first one is gone
  await second!.takeAtOnce(directory);
  await second!.stop();
  await third!.takeAtOnce(directory);
  expect(third!.last).toEqual({ took: true });
  while (!late!.isDone) await late!.step();
  expect(late!.last.error).toMatch(/in use by process/);
});
