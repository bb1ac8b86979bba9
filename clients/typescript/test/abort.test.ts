import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';

import { EmbeddingClient } from '../src/index.js';
import { Server, TINY_BGE_M3 } from './server.js';
import { strangeServer } from './strange.js';

const url = inject('url');
const texts = Array.from({ length: 1_000 }, (_, i) => `text ${i} ${'long '.repeat(50)}`);

let silent: { url: string; close: () => void };
let half: { url: string; close: () => void };

beforeAll(async () => {
  silent = await strangeServer(() => {});
  half = await strangeServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"embeddings":[[');
  });
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  silent.close();
  half.close();
});

describe('abort', () => {
  test('ends a call at once, with the reason, and sends nothing more', async () => {
    const controller = new AbortController();
    const ask = vi.fn(fetch);
    const client = new EmbeddingClient({ baseUrl: url, fetch: ask });
    const done: number[] = [];
    const call = client.embed(texts, {
      signal: controller.signal,
      onProgress: (progress) => {
        done.push(progress.done);
        controller.abort();
      },
    });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await expect(call).rejects.toBe(controller.signal.reason);
    const sent = ask.mock.calls.length;
    await client.embed(['another']);
    expect(done).toEqual([100]);
    expect(ask).toHaveBeenCalledTimes(sent + 1);
    expect(sent).toBeLessThanOrEqual(3);
    // One was answered, and the other is told to end.
    expect(ask.mock.calls.filter(([, init]) => init?.signal?.aborted)).not.toEqual([]);
  });

  test('the service computes no more of it', async () => {
    // One that nobody else asks.
    const server = await Server.start('--model', TINY_BGE_M3, '--cache', '0');
    try {
      const controller = new AbortController();
      const client = new EmbeddingClient({ baseUrl: server.url });
      const call = client.embed(texts, { signal: controller.signal, onProgress: () => controller.abort() });
      await expect(call).rejects.toThrow();
      await client.embed(['another']);
      expect(await count(server.url)).toBeLessThan(600);
    } finally {
      await server.stop();
    }
  });

  test('before the call: nothing is sent', async () => {
    const ask = vi.fn(fetch);
    const client = new EmbeddingClient({ baseUrl: url, fetch: ask });
    const signal = AbortSignal.abort(new Error('not needed'));
    await expect(client.embed(['text'], { signal })).rejects.toThrow('not needed');
    await expect(client.embed([], { signal })).rejects.toThrow('not needed');
    await expect(client.health({ signal })).rejects.toThrow('not needed');
    expect(ask).not.toHaveBeenCalled();
  });

  test('one signal for many calls is no leak to Node.js, nor are many requests of a call', async () => {
    const warnings: string[] = [];
    const warned = (warning: Error): number => warnings.push(warning.name);
    process.on('warning', warned);
    const controller = new AbortController();
    const client = new EmbeddingClient({ baseUrl: url, concurrency: 20, batchSize: 1 });
    const { signal } = controller;
    await Promise.all(
      Array.from({ length: 20 }, () => client.embed(Array<string>(20).fill('a'), { signal })),
    );
    const calls = Array.from({ length: 20 }, () => client.embed(['a'], { signal }));
    controller.abort('stop');
    expect(new Set((await Promise.allSettled(calls)).map((each) => each.status))).toEqual(
      new Set(['rejected']),
    );
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  test('in a pause between tries, and where fetch does not heed it', async () => {
    const controller = new AbortController();
    const refused = new EmbeddingClient({
      baseUrl: url,
      fetch: async () => {
        queueMicrotask(() => setImmediate(() => controller.abort('stop')));
        return new Response('{}', { status: 503, headers: { 'retry-after': '50' } });
      },
    });
    await expect(refused.embed(['text'], { signal: controller.signal })).rejects.toBe('stop');

    const deaf = new AbortController();
    const heedless = new EmbeddingClient({ baseUrl: url, fetch: () => new Promise(() => {}) });
    const call = heedless.embed(['text'], { signal: deaf.signal });
    deaf.abort('stop');
    await expect(call).rejects.toBe('stop');
  });
});

describe('time-out', () => {
  const late = { name: 'EmbeddingServiceError', type: 'Timeout' };

  test('where no answer comes, or only half of one; it is not sent again', async () => {
    for (const server of [silent, half]) {
      const ask = vi.fn(fetch);
      const client = new EmbeddingClient({ baseUrl: server.url, timeoutMs: 50, fetch: ask });
      await expect(client.embed(['text'])).rejects.toMatchObject(late);
      await expect(client.embed(['text'])).rejects.toThrow(`${server.url}/embed within 50 ms`);
      expect(ask).toHaveBeenCalledTimes(2);
      expect(ask.mock.calls.every(([, init]) => init?.signal?.aborted)).toBe(true);
      await expect(client.health({ timeoutMs: 20 })).rejects.toMatchObject(late);
    }
  });

  test('of the real service', async () => {
    const client = new EmbeddingClient({ baseUrl: url });
    await expect(client.embed(texts, { timeoutMs: 1 })).rejects.toMatchObject(late);
  });

  test('covers each try, not all of them', async () => {
    vi.useFakeTimers();
    const answers = [
      new Response('{}', { status: 503, headers: { 'retry-after': '1' } }),
      new Response('{"embeddings":[[1]]}'),
    ];
    const client = new EmbeddingClient({
      baseUrl: url,
      timeoutMs: 1_000,
      fetch: () => new Promise((resolve) => setTimeout(() => resolve(answers.shift()!), 900)),
    });
    const call = client.embed(['text']);
    await vi.advanceTimersByTimeAsync(900 + 1_100 + 900);
    expect(await call).toEqual([[1]]);
    const late = client.embed(['text'], { timeoutMs: 800 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(800);
    expect(await late).toMatchObject({ type: 'Timeout' });
  });
});

// Texts that were computed, by the length of each.
async function count(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^te_request_input_length_count(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1]);
}
