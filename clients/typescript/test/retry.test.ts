import { afterEach, describe, expect, inject, test, vi } from 'vitest';

import { EmbeddingClient, EmbeddingServiceError } from '../src/index.js';
import { retryAfterMs } from '../src/retry.js';
import { Server, TINY_BGE_M3 } from './server.js';
import { strangeServer } from './strange.js';

const url = inject('url');
const guarded = { baseUrl: inject('guardedUrl'), apiKey: 'sl0w' };
const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

describe('the rate limit', () => {
  test('is waited for as Retry-After says', async () => {
    const client = new EmbeddingClient(guarded);
    const refused: Response[] = [];
    const watched = new EmbeddingClient({
      ...guarded,
      fetch: async (...given) => {
        const response = await fetch(...given);
        if (response.status === 429) refused.push(response);
        return response;
      },
    });
    // 10 texts a request are all that it takes, of which it answers 5 a second: 422, then 429.
    const texts = Array.from({ length: 95 }, (_, i) => `text ${i}`);
    expect(await watched.embed(texts)).toEqual(await new EmbeddingClient({ baseUrl: url }).embed(texts));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every((response) => response.headers.has('retry-after'))).toBe(true);

    const many = Array.from({ length: 20 }, () => client.embed(['text'], { maxRetries: 0 }));
    const reasons = (await Promise.allSettled(many)).flatMap((each) =>
      each.status === 'rejected' ? [each.reason] : [],
    );
    expect(reasons[0]).toBeInstanceOf(EmbeddingServiceError);
    expect(reasons[0]).toMatchObject({ status: 429, type: 'Overloaded' });
    expect(reasons[0].retryAfterMs).toBeGreaterThanOrEqual(1_000);
    expect(reasons[0].requestId).toMatch(/./);
  });

  test('a date is waited for, too', async () => {
    const at = Math.ceil(Date.now() / 1_000) * 1_000 + 1_000;
    let second = 0;
    const server = await strangeServer((_, response) => {
      if (Date.now() < at) {
        response.writeHead(429, { 'retry-after': new Date(at).toUTCString() }).end();
      } else {
        second = Date.now();
        response.writeHead(200).end('{"embeddings":[[1]]}');
      }
    });
    closing.push(server.close);
    // Without another try: the first pause has to be long enough.
    expect(await new EmbeddingClient({ baseUrl: server.url, maxRetries: 1 }).embed(['a'])).toEqual([[1]]);
    expect(second).toBeGreaterThanOrEqual(at);
  });

  test('an hour is told and not waited for', async () => {
    const server = await strangeServer((_, response) =>
      response.writeHead(503, { 'retry-after': '3600' }).end(),
    );
    closing.push(server.close);
    const call = new EmbeddingClient({ baseUrl: server.url }).embed(['a']);
    await expect(call).rejects.toMatchObject({ status: 503, retryAfterMs: 3_600_000 });
  });

  test('how Retry-After is read', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(retryAfterMs(null, now)).toBeUndefined();
    expect(retryAfterMs('2', now)).toBe(2_000);
    expect(retryAfterMs('0.5', now)).toBe(500);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:07 GMT', now)).toBe(7_000);
    expect(retryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeUndefined();
  });
});

describe('what passes', () => {
  test('the server restarted in the middle of 3,000 texts', async () => {
    const server = await Server.start('--model', TINY_BGE_M3);
    let next: Promise<Server> | undefined;
    const restart = async (): Promise<Server> => {
      await server.stop();
      const another = Server.begin(['--model', TINY_BGE_M3], server.port);
      await another.ready();
      return another;
    };
    const texts = Array.from({ length: 3_000 }, (_, i) => `text ${i}`);
    const client = new EmbeddingClient({ baseUrl: server.url, maxRetries: 8 });
    const vectors = await client.embed(texts, { as: 'float32', onProgress: () => (next ??= restart()) });
    await (await next!).stop();
    expect(vectors).toEqual(await new EmbeddingClient({ baseUrl: url }).embed(texts, { as: 'float32' }));
  });

  test('a connection that breaks in the middle of an answer, and a proxy without the service', async () => {
    let asked = 0;
    const server = await strangeServer((_, response) => {
      ++asked;
      if (asked === 1) response.writeHead(200, { 'content-length': '1000' }).write('{"embe');
      if (asked === 1) setImmediate(() => response.destroy());
      if (asked === 2) response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
      if (asked === 3) response.writeHead(200).end('{"embeddings":[[1]]}');
    });
    closing.push(server.close);
    expect(await new EmbeddingClient({ baseUrl: server.url }).embed(['a'])).toEqual([[1]]);
    expect(asked).toBe(3);
  });

  test('nobody there: a connection error after the last try, which says where', async () => {
    const server = await strangeServer(() => {});
    server.close();
    const call = new EmbeddingClient({ baseUrl: server.url, maxRetries: 1 }).embed(['a']);
    await expect(call).rejects.toMatchObject({
      type: 'Connection',
      status: undefined,
      cause: expect.anything(),
    });
    await expect(call).rejects.toThrow(`no answer from ${server.url}/embed: connect ECONNREFUSED`);
  });
});

test('pauses grow, with chance in them, and are as many as maxRetries', async () => {
  const pausesWith = async (chance: number, maxRetries: number): Promise<number[]> => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    const at: number[] = [];
    const ask = async (): Promise<Response> => {
      at.push(Date.now());
      throw new TypeError('fetch failed');
    };
    const client = new EmbeddingClient({ baseUrl: url, maxRetries, fetch: ask });
    const call = client.embed(['a']).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(await call).toMatchObject({ type: 'Connection' });
    return at.slice(1).map((each, i) => each - at[i]!);
  };
  expect(await pausesWith(0, 6)).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000]);
  expect(await pausesWith(1, 6)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  expect(await pausesWith(0, 0)).toEqual([]);
});

test('requests of a call that have no turn yet wait, as long as others are answered', async () => {
  vi.useFakeTimers();
  let free = 1; // one request a second
  const refill = setInterval(() => (free = 1), 1_000);
  let asked = 0;
  const client = new EmbeddingClient({
    baseUrl: url,
    concurrency: 4,
    batchSize: 1,
    maxRetries: 1,
    fetch: async () => {
      ++asked;
      if (free-- > 0) return new Response('{"embeddings":[[1]]}');
      return new Response('{}', { status: 429, headers: { 'retry-after': '1' } });
    },
  });
  const call = client.embed(Array<string>(12).fill('text')).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  clearInterval(refill);
  expect(await call).toHaveLength(12);
  expect(asked).toBeGreaterThan(24);
});

test('a request that has to be split is sent as so many at a time as the client sends, in their order', async () => {
  let inHand = 0;
  let most = 0;
  let refused = 0;
  const client = new EmbeddingClient({
    baseUrl: url,
    concurrency: 3,
    fetch: async (at, init) => {
      if (at.endsWith('/info')) return new Response('{"max_client_batch_sizes":{"texts":10}}');
      const { texts } = JSON.parse(String(init.body)) as { texts: string[] };
      if (texts.length > 10) {
        ++refused;
        return new Response('{"error":"batch size 100 > maximum allowed batch size 10"}', { status: 422 });
      }
      most = Math.max(most, ++inHand);
      await new Promise((resolve) => setImmediate(resolve));
      --inHand;
      return new Response(JSON.stringify({ embeddings: texts.map((text) => [Number(text)]) }));
    },
  });
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  expect(await client.embed(numbers.map(String))).toEqual(numbers.map((i) => [i]));
  expect(most).toBe(3);
  expect(refused).toBe(1);
});

describe('waitUntilReady', () => {
  /** Of a service that fails, as it tells it itself. */
  const failed = { status: 'unhealthy', model: 'bge-m3', error: 'the device is out of memory' };
  const healthy = { status: 'healthy', model: 'bge-m3', device: 'cpu', dimension: 1024 };
  const saying = (health: { status: string }): Response =>
    new Response(JSON.stringify(health), { status: health.status === 'healthy' ? 200 : 503 });

  test('ends soon, with the reason, for a service that has failed', async () => {
    vi.useFakeTimers();
    const begin = Date.now();
    const client = new EmbeddingClient({ baseUrl: url, fetch: async () => saying(failed) });
    const states: unknown[] = [];
    const call = client.waitUntilReady({ onWaiting: (each) => states.push(each) });
    const outcome = call.then(
      () => undefined,
      (error: unknown) => ({ error, after: Date.now() - begin }),
    );
    await vi.advanceTimersByTimeAsync(60_000);
    const { error, after } = (await outcome)!;
    expect(error).toBeInstanceOf(EmbeddingServiceError);
    expect(error).toMatchObject({ type: 'Unhealthy', status: 503, url: `${url}/health` });
    expect((error as Error).message).toMatch(/^bge-m3 has failed, .*: the device is out of memory \(/);
    expect(after).toBe(5_000);
    expect(states[0]).toEqual(failed);
  });

  test('goes on where it works again, or is started anew: only a failure that stays counts', async () => {
    vi.useFakeTimers();
    const loading = { status: 'loading', model: 'bge-m3' };
    // Four seconds of failure each, half a second apart.
    const answers = [...Array<object>(8).fill(failed), loading, ...Array<object>(8).fill(failed), healthy];
    const client = new EmbeddingClient({
      baseUrl: url,
      fetch: async () => saying(answers.shift() as { status: string }),
    });
    const call = client.waitUntilReady().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await call).toEqual(healthy);
  });

  test('from before the server is started until its model is loaded', async () => {
    const free = await strangeServer(() => {});
    free.close();
    let server: Server | undefined;
    const client = new EmbeddingClient({ baseUrl: free.url });
    const health = await client.waitUntilReady({
      intervalMs: 20,
      onWaiting: () => (server ??= Server.begin(['--model', TINY_BGE_M3], Number(new URL(free.url).port))),
    });
    closing.push(() => server!.stop());
    expect(health).toEqual({ status: 'healthy', model: 'tiny-bge-m3', device: 'cpu', dimension: 128 });
    expect(await client.health()).toEqual(health);
  });

  test('tells of a download; ends with the time, or where waiting does not help', async () => {
    const loading = { status: 'loading', model: 'm', download: { file: 'f', done_bytes: 1, total_bytes: 2 } };
    const server = await strangeServer((_, response) => response.writeHead(503).end(JSON.stringify(loading)));
    closing.push(server.close);
    const client = new EmbeddingClient({ baseUrl: server.url });
    expect(await client.health()).toEqual(loading);
    const states: unknown[] = [];
    const call = client.waitUntilReady({
      timeoutMs: 1_000,
      intervalMs: 100,
      onWaiting: (each) => states.push(each),
    });
    await expect(call).rejects.toMatchObject({ type: 'Timeout' });
    await expect(call).rejects.toThrow(/not ready within 1000 ms: .*"done_bytes":1/);
    expect(states[0]).toEqual(loading);

    const other = await strangeServer((_, response) => response.writeHead(404).end('nothing'));
    closing.push(other.close);
    await expect(new EmbeddingClient({ baseUrl: other.url }).waitUntilReady()).rejects.toMatchObject({
      status: 404,
    });
  });
});
