import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, inject, test, vi } from 'vitest';

import { EmbeddingClient, EmbeddingServiceError, embeddingClient } from '../src/index.js';
import { Server, TINY_BGE_M3 } from './server.js';
import { answering } from './strange.js';

const url = inject('url');
const guardedUrl = inject('guardedUrl');
const client = new EmbeddingClient({ baseUrl: url });
const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

describe('keys', () => {
  test.each([undefined, 'wr0ng'])('%s: 401, not sent again', async (apiKey) => {
    const ask = vi.fn(fetch);
    const call = new EmbeddingClient({ baseUrl: guardedUrl, apiKey, fetch: ask }).embed(['a']);
    await expect(call).rejects.toMatchObject({ status: 401, requestId: expect.stringMatching(/./) });
    await expect(call).rejects.toThrow(/key/i);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  test('the ready client reads the environment at its first call', async () => {
    vi.stubEnv('EMBEDDING_SERVICE_URL', `${guardedUrl}/`);
    vi.stubEnv('EMBEDDING_SERVICE_API_KEY', 's3cret');
    const [embedding] = await embeddingClient.embed(['a']);
    expect(embedding).toHaveLength(128);
    expect(embeddingClient.baseUrl).toBe(guardedUrl);
    vi.stubEnv('EMBEDDING_SERVICE_URL', 'elsewhere');
    expect(embeddingClient.baseUrl).toBe(guardedUrl);
    await expect(new EmbeddingClient().embed(['a'])).rejects.toThrow(/EMBEDDING_SERVICE_URL: .*"elsewhere"/);
  });
});

describe('what the caller passed', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['texts: expected an array of strings, got string', () => client.embed('text' as never)],
    ['texts[1]: expected a string, got number', () => client.embed(['a', 3 as never])],
    ['query: expected a string', () => client.rerank(undefined as never, ['a'])],
    ['topN: expected a whole number from 1 on, got 0', () => client.rerank('a', ['a'], { topN: 0 })],
    ['outputs: expected some of dense', () => client.embedAll(['a'], { outputs: ['bm25' as never] })],
    ['timeoutMs: expected milliseconds above 0, got -1', () => client.embed(['a'], { timeoutMs: -1 })],
    ['dimensions is 4000; tiny-bge-m3 has 1 to 128', () => client.embed(['a'], { dimensions: 4_000 })],
    ['as: expected one of array', () => client.embed(['a'], { as: 'float16' as never })],
  ])('%s', async (message, call) => {
    const error: unknown = await call().catch((each: unknown) => each);
    expect(error).toBeInstanceOf(EmbeddingServiceError);
    expect((error as EmbeddingServiceError).type).toBe('Validation');
    expect((error as EmbeddingServiceError).message).toContain(message);
  });

  test.each([
    [{ baseUrl: 'localhost:8001' }, 'baseUrl: expected http: or https:'],
    [{ baseUrl: 'nowhere' }, 'baseUrl: expected a URL such as http://localhost:8001, got "nowhere"'],
    [{ baseUrl: 'http://a:b@c' }, "baseUrl: may not hold a user's name or password"],
    [{ apiKey: 'key\n' }, 'apiKey: expected printable ASCII'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ maxRetries: 1.5 }, 'maxRetries'],
    [{ concurrency: 0 }, 'concurrency'],
    [{ batchSize: NaN }, 'batchSize'],
  ])('%o', (options, message) => {
    expect(() => new EmbeddingClient(options)).toThrow(message);
  });

  test('a place is that in the call, not in one of its requests; the others end', async () => {
    const ask = vi.fn(fetch);
    const counting = new EmbeddingClient({ baseUrl: url, fetch: ask });
    const texts = Array.from({ length: 2_000 }, (_, i) => (i === 120 ? 'half \ud800' : 'text'));
    await expect(counting.embed(texts)).rejects.toThrow('texts[120]: contains an unpaired surrogate');
    expect(ask.mock.calls.length).toBeLessThan(15);
    const long = ['a', 'long '.repeat(9_000)];
    await expect(client.embed(long, { truncate: false })).rejects.toThrow(/texts\[1\] has \d+ tokens/);
    expect(await client.embed(long)).toHaveLength(2);
  });
});

test('a base URL with /v1, as for OpenAI, is told apart', async () => {
  for (const call of [
    (client: EmbeddingClient) => client.embed(['text']),
    (client: EmbeddingClient) => client.similarity('a', ['b']),
  ]) {
    await expect(call(new EmbeddingClient({ baseUrl: `${url}/v1` }))).rejects.toThrow(
      /without \/v1 \(HTTP 404/,
    );
  }
});

describe('http and https', () => {
  /** The calls that try again or wait; each is to say at once what is wrong, after one look. */
  async function failures(baseUrl: string): Promise<EmbeddingServiceError[]> {
    const ask = vi.fn(fetch);
    const wrong = new EmbeddingClient({ baseUrl, fetch: ask });
    const calls = [() => wrong.embed(['a']), () => wrong.health(), () => wrong.waitUntilReady()];
    const errors: EmbeddingServiceError[] = [];
    for (const call of calls) {
      ask.mockClear();
      errors.push(
        await call().then(
          () => expect.unreachable(),
          (error: EmbeddingServiceError) => error,
        ),
      );
      expect(ask).toHaveBeenCalledTimes(1);
    }
    return errors;
  }

  test('https for a service that speaks http names the URL to use, and is not tried again', async () => {
    const errors = await failures(url.replace('http:', 'https:'));
    expect(errors[0]?.message).toBe(
      `no answer from ${url.replace('http:', 'https:')}/embed: it speaks http there, not https; use ${url}`,
    );
    for (const error of errors) expect(error).toMatchObject({ type: 'Connection', cause: expect.anything() });
  });

  test('http for a service that speaks https; a certificate that nobody knows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'client-tls-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1'],
      ],
      { stdio: 'ignore' },
    );
    const tls = ['--tls-certificate', certificate, '--tls-key', key];
    const server = await Server.start('--model', TINY_BGE_M3, '--host', '127.0.0.1', ...tls);
    closing.push(() => server.stop());
    const { host } = new URL(server.url);
    const plain = new EmbeddingClient({ baseUrl: `http://${host}`, maxRetries: 0 });
    await expect(plain.embed(['a'])).rejects.toThrow(`with https (https://${host})?`);
    for (const error of await failures(`https://${host}`)) {
      expect(error.message).toMatch(/self-signed certificate; .*NODE_EXTRA_CA_CERTS/);
    }
  });

  test('a port that fetch never asks', async () => {
    for (const error of await failures('http://127.0.0.1:6000')) {
      expect(error.message).toContain('port 6000 is one of those that fetch never asks');
    }
  });
});

test('the first request that fails for good ends the others', async () => {
  const signals: (AbortSignal | null | undefined)[] = [];
  const failing = new EmbeddingClient({
    baseUrl: url,
    fetch: (at, init) => {
      if (at.endsWith('/info')) return Promise.resolve(new Response('', { status: 404 }));
      signals.push(init.signal);
      if (signals.length === 2) return Promise.resolve(new Response('{"error":"no"}', { status: 422 }));
      return new Promise(() => {});
    },
  });
  await expect(failing.embed(Array<string>(1_000).fill('text'))).rejects.toThrow('no (HTTP 422');
  expect(signals).toHaveLength(2);
  expect(signals[0]?.aborted).toBe(true);
});

test('a body that is too large for a proxy is halved', async () => {
  const sizes: number[] = [];
  const proxied = new EmbeddingClient({
    baseUrl: url,
    fetch: async (at, init) => {
      const size = String(init.body).length;
      if (size > 2_000) return new Response('<h1>413</h1>', { status: 413 });
      sizes.push(size);
      return fetch(at, init);
    },
  });
  const texts = Array.from({ length: 150 }, (_, i) => `a text that is not long, ${i}`);
  expect(await proxied.embed(texts)).toEqual(await client.embed(texts));
  expect(sizes.length).toBeGreaterThan(2);
  await expect(proxied.embed(['x'.repeat(3_000)])).rejects.toMatchObject({ status: 413 });
});

describe('answers of a strange server', () => {
  const json = { 'content-type': 'application/json' };
  const bytes = { 'content-type': 'application/octet-stream', 'x-shape': '2,2' };
  test.each<[string, Record<string, string>]>([
    ['<html>', { 'content-type': 'text/html' }],
    ['', json],
    ['null', json],
    ['[]', json],
    ['{"embeddings": 1}', json],
    ['{"embeddings": []}', json],
    ['{"embeddings": [[1], [2, 3]]}', json],
    ['{"embeddings": [[1], [null]]}', json],
    ['{"embeddings": [[1], []]}', json],
    ['{"embeddings": [[1], [2], [3]]}', json],
    ['12345678901234567', bytes],
    ['1234567812345678', { ...bytes, 'x-shape': '1,4' }],
    ['1234567812345678', { 'content-type': 'application/octet-stream' }],
  ])('%s %o', async (body, headers) => {
    const server = await answering(200, body, headers);
    closing.push(server.close);
    const strange = new EmbeddingClient({ baseUrl: server.url });
    const wrong = { name: 'EmbeddingServiceError', type: 'InvalidAnswer', status: 200 };
    await expect(strange.embed(['a', 'b'])).rejects.toMatchObject(wrong);
    await expect(strange.embed(['a', 'b'], { as: 'float32' })).rejects.toMatchObject(wrong);
    await expect(strange.embed(['a', 'b'], { as: 'int8' })).rejects.toMatchObject(wrong);
    await expect(strange.embedAll(['a', 'b'])).rejects.toMatchObject(wrong);
    await expect(strange.rerank('a', ['b', 'c'])).rejects.toMatchObject(wrong);
    await expect(strange.similarity('a', ['b', 'c'])).rejects.toMatchObject(wrong);
    await expect(strange.health()).rejects.toMatchObject(wrong);
  });

  test('an older service without bytes and dtypes: floats from JSON, and no false integers', async () => {
    const server = await answering(200, '{"embeddings":[[0.5,-0.5]]}');
    closing.push(server.close);
    const older = new EmbeddingClient({ baseUrl: server.url });
    expect(await older.embed(['a'], { as: 'float32' })).toEqual([Float32Array.of(0.5, -0.5)]);
    await expect(older.embed(['a'], { as: 'int8' })).rejects.toThrow('no int8 embeddings');
  });

  test.each([
    [400, '{"error":{"message":"of OpenAI"}}', 'of OpenAI', 'Validation'],
    [400, '{"error":"none","error_type":"Empty"}', 'none', 'Empty'],
    [404, '{"message":"of Cohere"}', 'of Cohere', 'Validation'],
    [500, '<h1>Internal</h1>', '<h1>Internal</h1>', 'Backend'],
    [418, '', 'an answer without a text', 'Validation'],
  ])('%d %s', async (status, body, message, type) => {
    const server = await answering(status, body);
    closing.push(server.close);
    const call = new EmbeddingClient({ baseUrl: server.url }).embed(['a']);
    await expect(call).rejects.toMatchObject({ status, type, url: `${server.url}/embed` });
    await expect(call).rejects.toHaveProperty('body', body);
    await expect(call).rejects.toThrow(`${message} (HTTP ${status} from ${server.url}/embed)`);
  });
});
