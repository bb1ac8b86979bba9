import { describe, expect, inject, test } from 'vitest';

import { EmbeddingClient, type Progress } from '../src/index.js';

const client = new EmbeddingClient({ baseUrl: inject('url') });
const MINILM = 'all-MiniLM-L6-v2';

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let dot = 0;
  for (let i = 0; i < a.length; ++i) dot += a[i]! * b[i]!;
  return dot;
};

describe('embed', () => {
  test('one text, as the first user asks', async () => {
    const [embedding] = await client.embed(['Пример текста']);
    expect(embedding).toHaveLength(128);
    expect(Math.hypot(...embedding!)).toBeCloseTo(1, 5);
  });

  test('1,000 texts are those of 1,000 calls, in order', async () => {
    const texts = Array.from({ length: 1_000 }, (_, i) => `text ${i} ${'слово '.repeat(i % 7)}`);
    const progress: Progress[] = [];
    const together = await client.embed(texts, { onProgress: (each) => progress.push(each) });
    const alone: number[][] = [];
    for (let i = 0; i < texts.length; i += 50) {
      const calls = texts.slice(i, i + 50).map((text) => client.embed([text]));
      alone.push(...(await Promise.all(calls)).flat());
    }
    expect(together).toEqual(alone);
    expect(progress.map((each) => each.done)).toEqual([...Array(10).keys()].map((i) => 100 * (i + 1)));
    expect(progress.every((each) => each.total === 1_000)).toBe(true);
  });

  test('of no texts nothing, without asking', async () => {
    const nobody = new EmbeddingClient({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
    expect(await nobody.embed([])).toEqual([]);
    expect(await nobody.embedAll([])).toEqual({ dense: [], sparse: [], colbert: [] });
    expect(await nobody.rerank('query', [])).toEqual([]);
    expect(await nobody.similarity('text', [])).toEqual([]);
  });

  test('Float32Array from bytes, each with a buffer of its own', async () => {
    const texts = ['one', 'два', '三', ''];
    const arrays = await client.embed(texts);
    const typed = await client.embed(texts, { as: 'float32' });
    expect(typed).toEqual(arrays.map((vector) => Float32Array.from(vector)));
    for (const vector of typed) expect(vector.buffer.byteLength).toBe(128 * 4);
  });

  test('int8, uint8, binary and ubinary are the same vectors in fewer bits', async () => {
    const texts = Array.from({ length: 120 }, (_, i) => `${i} unicode ✓ 🙂 привет`);
    const floats = await client.embed(texts, { as: 'float32' });
    const [int8, uint8, binary, ubinary] = await Promise.all([
      client.embed(texts, { as: 'int8' }),
      client.embed(texts, { as: 'uint8' }),
      client.embed(texts, { as: 'binary' }),
      client.embed(texts, { as: 'ubinary' }),
    ]);
    expect(int8[0]).toBeInstanceOf(Int8Array);
    expect(uint8[0]).toBeInstanceOf(Uint8Array);
    expect(binary[0]).toBeInstanceOf(Int8Array);
    expect(ubinary[0]).toBeInstanceOf(Uint8Array);
    const range = 8 / Math.sqrt(128);
    floats.forEach((vector, i) => {
      uint8[i]!.forEach((step, k) =>
        expect(Math.abs((step / 255) * 2 * range - range - vector[k]!)).toBeLessThan(0.006),
      );
      expect(Array.from(int8[i]!)).toEqual(Array.from(uint8[i]!, (step) => step - 128));
      const bits = Array.from(ubinary[i]!, (byte) => byte.toString(2).padStart(8, '0')).join('');
      expect(bits).toBe(Array.from(vector, (x) => (x > 0 ? '1' : '0')).join(''));
      expect(Array.from(binary[i]!)).toEqual(Array.from(ubinary[i]!, (byte) => byte - 128));
    });
  });

  test('dimensions, normalize, promptName, model', async () => {
    const [whole] = await client.embed(['text']);
    const [short] = await client.embed(['text'], { dimensions: 16 });
    const length = Math.hypot(...whole!.slice(0, 16));
    short!.forEach((x, i) => expect(x).toBeCloseTo(whole![i]! / length, 5));
    const [raw] = await client.embed(['text'], { normalize: false });
    expect(Math.hypot(...raw!)).not.toBeCloseTo(1, 2);
    // Those of this model are empty; one that there is not shows that the name arrives.
    expect(await client.embed(['text'], { promptName: 'query' })).toEqual([whole]);
    await expect(client.embed(['text'], { promptName: 'none' })).rejects.toThrow(
      /prompt_name: .*document, query/,
    );
    const [minilm] = await client.embed(['text'], { model: MINILM });
    expect(minilm).toHaveLength(384);
    expect(await new EmbeddingClient({ baseUrl: client.baseUrl, model: MINILM }).embed(['text'])).toEqual([
      minilm,
    ]);
  });
});

describe('embedAll', () => {
  test('dense, sparse and ColBERT of one pass', async () => {
    const texts = Array.from({ length: 130 }, (_, i) => `кошка сидит на окне ${i}`);
    const all = await client.embedAll(texts);
    expect(all.dense).toEqual(await client.embed(texts));
    expect(all.sparse).toHaveLength(130);
    expect(all.colbert).toHaveLength(130);
    for (const [id, weight] of Object.entries(all.sparse[129]!)) {
      expect(id).toMatch(/^\d+$/);
      expect(weight).toBeGreaterThan(0);
    }
    // A vector for each token but the first: those of the text, and the end's.
    expect(all.colbert[129]!.length).toBeGreaterThan(5);
    expect(all.colbert[129]![0]!.length).toBe(all.colbert[0]![0]!.length);
  });

  test('only the kinds that are asked for', async () => {
    const sparse = await client.embedAll(['a b a c'], { outputs: ['sparse'] });
    expect(Object.keys(sparse)).toEqual(['sparse']);
    expect(Object.keys(sparse.sparse[0]!).length).toBeGreaterThan(0);
  });

  test('a model without those heads is an error that says so', async () => {
    const call = client.embedAll(['text'], { model: MINILM });
    await expect(call).rejects.toMatchObject({ name: 'EmbeddingServiceError', status: 424, type: 'Backend' });
    await expect(call).rejects.toThrow(/all-MiniLM-L6-v2.*(sparse|lexical)/i);
  });
});

describe('rerank and similarity', () => {
  const documents = Array.from({ length: 250 }, (_, i) => `документ ${i} о кошках и собаках`);

  test('rerank gives every document, best first, as in one request', async () => {
    const ranked = await client.rerank('кошка', documents);
    const whole = await new EmbeddingClient({ baseUrl: client.baseUrl, batchSize: 1_000 }).rerank(
      'кошка',
      documents,
    );
    expect(ranked).toEqual(whole);
    expect(ranked.map((each) => each.index).sort((a, b) => a - b)).toEqual([...documents.keys()]);
    for (const { index, document } of ranked) expect(document).toBe(documents[index]);
    for (let i = 1; i < ranked.length; ++i)
      expect(ranked[i]!.score).toBeLessThanOrEqual(ranked[i - 1]!.score);
    expect(await client.rerank('кошка', documents, { topN: 3 })).toEqual(ranked.slice(0, 3));
  });

  test('the modes and weights of an embedding model', async () => {
    const some = documents.slice(0, 5);
    const model = 'tiny-bge-m3';
    const score = async (options: object): Promise<number[]> => {
      const ranked = await client.rerank('кошка', some, { model, ...options });
      return ranked.sort((a, b) => a.index - b.index).map((each) => each.score);
    };
    const dense = await score({ mode: 'dense' });
    const sparse = await score({ mode: 'sparse' });
    const hybrid = await score({ mode: 'hybrid', weights: [1, 1, 0] });
    hybrid.forEach((x, i) => expect(x).toBeCloseTo((dense[i]! + sparse[i]!) / 2, 4));
    (await client.similarity('кошка', some, { model })).forEach((x, i) =>
      expect(x).toBeCloseTo(dense[i]!, 5),
    );
  });

  test('similarity is the cosine of the vectors', async () => {
    const [query, ...vectors] = await client.embed(['кошка', ...documents]);
    const similarities = await client.similarity('кошка', documents);
    similarities.forEach((x, i) => expect(x).toBeCloseTo(cosine(query!, vectors[i]!), 5));
  });
});
