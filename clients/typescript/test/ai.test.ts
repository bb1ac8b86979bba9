import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, type EmbeddingModelV4, NoSuchModelError } from '@ai-sdk/provider';
import { cosineSimilarity, embed, embedMany, rerank } from 'ai';
import { afterEach, describe, expect, inject, test, vi } from 'vitest';

import { createEmbeddingService, embeddingService } from '../src/ai/index.js';
import { EmbeddingClient } from '../src/index.js';
import { answering, strangeServer } from './strange.js';

const url = inject('url');
const client = new EmbeddingClient({ baseUrl: url });
const service = createEmbeddingService({ baseURL: url });
const model = service.embeddingModel('tiny-bge-m3');
const documents = ['кошка сидит на окне', 'a cat sits at the window', 'акции упали в цене', 'a b c'];
const closing: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  closing.splice(0).forEach((close) => close());
});

const bytesOf = (vectors: number[][]): Float32Array[] => vectors.map((vector) => Float32Array.from(vector));

describe('embed and embedMany of ai', () => {
  test('embed: the vector, tokens, no warnings', async () => {
    const { embedding, usage, warnings, providerMetadata } = await embed({ model, value: documents[0]! });
    expect(bytesOf([embedding])).toEqual(await client.embed([documents[0]!], { as: 'float32' }));
    expect(usage.tokens).toBeGreaterThan(5);
    expect(warnings).toEqual([]);
    expect(providerMetadata).toBeUndefined();
    expect(cosineSimilarity(embedding, embedding)).toBeCloseTo(1, 6);
  });

  test('the environment is read at the first call', async () => {
    vi.stubEnv('EMBEDDING_SERVICE_URL', inject('guardedUrl'));
    vi.stubEnv('EMBEDDING_SERVICE_API_KEY', 's3cret');
    const { embedding } = await embed({
      model: embeddingService.textEmbeddingModel('tiny-bge-m3'),
      value: 'a',
    });
    expect(embedding).toHaveLength(128);
  });

  test('as base64; with dimensions, options and headers', async () => {
    const ask = vi.fn(fetch);
    const watched = createEmbeddingService({ baseURL: url, fetch: ask, headers: { 'X-Of-All': '1' } });
    const { embedding } = await embed({
      model: watched.embeddingModel('tiny-bge-m3'),
      value: 'a',
      dimensions: 16,
      headers: { 'x-request-id': 'mine' },
      providerOptions: { embeddingService: { normalize: false, promptName: 'query' } },
    });
    const wanted = await client.embed(['a'], { dimensions: 16, normalize: false, as: 'float32' });
    expect(bytesOf([embedding])).toEqual(wanted);
    const [at, init] = ask.mock.calls[0]!;
    expect(at).toBe(`${url}/v1/embeddings`);
    expect(JSON.parse(String(init?.body))).toEqual({
      model: 'tiny-bge-m3',
      encoding_format: 'base64',
      input: ['a'],
      dimensions: 16,
      normalize: false,
      prompt_name: 'query',
    });
    expect(init?.headers).toMatchObject({ 'x-of-all': '1', 'x-request-id': 'mine' });
  });

  test('1,000 values in order, two requests at a time', async () => {
    let running = 0;
    let most = 0;
    const watched = createEmbeddingService({
      baseURL: url,
      fetch: async (...given) => {
        most = Math.max(most, ++running);
        return fetch(...given).finally(() => --running);
      },
    });
    const values = Array.from({ length: 1_000 }, (_, i) => `значение ${i}`);
    const { embeddings, usage } = await embedMany({ model: watched.embeddingModel('m'), values });
    expect(bytesOf(embeddings)).toEqual(await client.embed(values, { as: 'float32' }));
    expect(usage.tokens).toBeGreaterThan(3_000);
    expect(most).toBe(2);
    expect((await embedMany({ model, values: [] })).embeddings).toEqual([]);
  });

  test('sparse and ColBERT of all values in providerMetadata', async () => {
    const values = Array.from({ length: 120 }, (_, i) => `${documents[i % 4]} ${i}`);
    const providerOptions = { embeddingService: { sparse: true, colbert: true } };
    const { embeddings, providerMetadata } = await embedMany({ model, values, providerOptions });
    const all = await client.embedAll(values);
    expect(embeddings).toEqual(all.dense);
    expect(providerMetadata?.embeddingService).toEqual({ sparse: all.sparse, colbert: all.colbert });

    const alone = { embeddingService: { sparse: true } };
    const one = await embed({ model, value: values[0]!, providerOptions: alone });
    expect(one.providerMetadata?.embeddingService).toEqual({ sparse: [all.sparse[0]] });

    const minilm = service.embeddingModel('all-MiniLM-L6-v2');
    await expect(embed({ model: minilm, value: 'a', providerOptions: alone })).rejects.toMatchObject({
      statusCode: 424,
      isRetryable: false,
    });
  });

  test('errors are those that ai knows: it sends again what may pass, and nothing else', async () => {
    const wrong = await embed({ model, value: 'a', dimensions: 4_000 }).catch((error: unknown) => error);
    expect(APICallError.isInstance(wrong)).toBe(true);
    expect(wrong).toMatchObject({ statusCode: 422, isRetryable: false, url: `${url}/v1/embeddings` });
    expect((wrong as APICallError).message).toContain('dimensions is 4000; tiny-bge-m3 has 1 to 128');
    expect((wrong as APICallError).responseHeaders?.['x-request-id']).toMatch(/./);

    let asked = 0;
    const server = await strangeServer((_, response) => {
      if (++asked === 1) response.writeHead(429, { 'retry-after': '0' }).end('{}');
      else response.writeHead(200).end('{"data":[{"index":0,"embedding":"AACAPw=="}]}');
    });
    closing.push(server.close);
    const busy = createEmbeddingService({ baseURL: server.url }).embeddingModel('m');
    expect((await embed({ model: busy, value: 'a' })).embedding).toEqual([1]);
    expect(asked).toBe(2);
    asked = 0;
    await expect(embed({ model: busy, value: 'a', maxRetries: 0 })).rejects.toMatchObject({
      statusCode: 429,
    });

    const unknown = { embeddingService: { prompt: 'query' } };
    await expect(embed({ model, value: 'a', providerOptions: unknown })).rejects.toThrow(
      /prompt: no such option; there are promptName/,
    );
  });

  test('an abort is an abort; a strange answer is an error', async () => {
    const abortSignal = AbortSignal.abort();
    await expect(embed({ model, value: 'a', abortSignal })).rejects.toMatchObject({ name: 'AbortError' });
    for (const body of [
      '{}',
      '{"data":[{"index":0,"embedding":"AAA="}]}',
      '{"data":[{"index":1,"embedding":"AACAPw=="}]}',
    ]) {
      const server = await answering(200, body);
      closing.push(server.close);
      const strange: EmbeddingModelV4 = createEmbeddingService({ baseURL: server.url }).embeddingModel('m');
      const error = await embed({ model: strange, value: 'a' }).catch((each: unknown) => each);
      expect(APICallError.isInstance(error) && !error.isRetryable).toBe(true);
    }
  });
});

test('what a call of several requests has tried in vain is not begun anew by ai', async () => {
  const asked = { alone: 0, together: 0 };
  const server = await strangeServer((request, response) => {
    ++asked[request.headers['x-call'] as keyof typeof asked];
    response.writeHead(503, { 'retry-after': '0.01' }).end('{}');
  });
  closing.push(server.close);
  const away = createEmbeddingService({ baseURL: server.url, batchSize: 2, concurrency: 1, maxRetries: 1 });
  const ask = (call: keyof typeof asked, values: string[]): Promise<unknown> =>
    embedMany({ model: away.embeddingModel('m'), values, headers: { 'x-call': call }, maxRetries: 1 });
  await expect(ask('alone', ['a', 'b'])).rejects.toThrow('HTTP 503');
  await expect(ask('together', ['a', 'b', 'c'])).rejects.toThrow('HTTP 503');
  expect(asked).toEqual({ alone: 2, together: 2 });
});

describe('rerank of ai', () => {
  test('texts and objects, topN', async () => {
    const reranker = service.rerankingModel('tiny-reranker');
    const ranked = await client.rerank('кошка', documents, { model: 'tiny-reranker' });
    const { ranking, rerankedDocuments, response } = await rerank({
      model: reranker,
      query: 'кошка',
      documents,
    });
    expect(ranking.map((each) => [each.originalIndex, each.score])).toEqual(
      ranked.map((each) => [each.index, each.score]),
    );
    expect(rerankedDocuments).toEqual(ranked.map((each) => each.document));
    expect(response.modelId).toBe('tiny-reranker');
    const objects = documents.map((text) => ({ text }));
    const best = await rerank({ model: reranker, query: 'кошка', documents: objects, topN: 2 });
    expect(best.rerankedDocuments).toHaveLength(2);
    expect(best.rerankedDocuments[0]).toHaveProperty('text');
  });

  test('the modes of an embedding model', async () => {
    const providerOptions = { embeddingService: { mode: 'hybrid', weights: [1, 0, 0] } };
    const { ranking } = await rerank({
      model: service.rerankingModel('tiny-bge-m3'),
      query: 'кошка',
      documents,
      providerOptions,
    });
    const cosines = await client.similarity('кошка', documents);
    for (const { originalIndex, score } of ranking) expect(score).toBeCloseTo(cosines[originalIndex]!, 4);
  });
});

test('models of other kinds are none', () => {
  expect(() => service.languageModel('m')).toThrow(NoSuchModelError);
  expect(() => service.imageModel('m')).toThrow(NoSuchModelError);
  expect(() => createEmbeddingService({ baseURL: 'nowhere' })).toThrow('baseUrl: expected a URL');
});

test('@ai-sdk/openai-compatible, unchanged', async () => {
  const compatible = createOpenAICompatible({
    name: 'local',
    baseURL: `${inject('guardedUrl')}/v1`,
    apiKey: 's3cret',
  });
  const { embeddings, usage } = await embedMany({
    model: compatible.embeddingModel('tiny-bge-m3'),
    values: documents,
    maxRetries: 5,
  });
  const wanted = await client.embed(documents);
  embeddings.forEach((vector, i) => expect(cosineSimilarity(vector, wanted[i]!)).toBeCloseTo(1, 5));
  expect(usage.tokens).toBeGreaterThan(10);
});
