import { MemoryVectorStore } from '@langchain/classic/vectorstores/memory';
import { Document } from '@langchain/core/documents';
import { expect, inject, test } from 'vitest';

import { EmbeddingClient } from '../src/index.js';
import { EmbeddingServiceEmbeddings, EmbeddingServiceRerank } from '../src/langchain/index.js';

const baseUrl = inject('url');
const client = new EmbeddingClient({ baseUrl, model: 'all-MiniLM-L6-v2' });
const documents = [
  new Document({ pageContent: 'The cat sleeps on the sofa', metadata: { at: 1 }, id: 'cat' }),
  new Document({ pageContent: 'Stocks fell sharply on Monday', metadata: { at: 2 }, id: 'stocks' }),
  new Document({ pageContent: 'A recipe for apple pie', metadata: { at: 3 }, id: 'pie' }),
];

test('MemoryVectorStore finds what is meant', async () => {
  const embeddings = new EmbeddingServiceEmbeddings({ client });
  const store = await MemoryVectorStore.fromDocuments(documents, embeddings);
  const [[best, score] = []] = await store.similaritySearchWithScore('a pet that naps', 1);
  expect(best?.metadata).toEqual({ at: 1 });
  expect(score).toBeGreaterThan(0.3);
  const found = await store.asRetriever(1).invoke('share prices');
  expect(found[0]?.metadata).toEqual({ at: 2 });
});

test('options are the client’s, and how texts are made into vectors', async () => {
  const embeddings = new EmbeddingServiceEmbeddings({ baseUrl, dimensions: 16, normalize: false });
  const wanted = await new EmbeddingClient({ baseUrl }).embed(['a'], { dimensions: 16, normalize: false });
  expect(await embeddings.embedDocuments(['a'])).toEqual(wanted);
  expect(await embeddings.embedQuery('a')).toEqual(wanted[0]);
  expect(await embeddings.embedDocuments([])).toEqual([]);
  const prompted = new EmbeddingServiceEmbeddings({
    baseUrl,
    queryPromptName: 'q',
    documentPromptName: 'query',
  });
  expect(await prompted.embedDocuments(['a'])).toHaveLength(1);
  await expect(prompted.embedQuery('a')).rejects.toThrow('prompt_name');
  expect(() => new EmbeddingServiceEmbeddings({ baseUrl: 'nowhere' })).toThrow('baseUrl');
});

test('the document compressor keeps ids and metadata, best first', async () => {
  const compressor = new EmbeddingServiceRerank({ client, topN: 2 });
  const compressed = await compressor.compressDocuments(documents, 'a pet that naps');
  expect(compressed).toHaveLength(2);
  expect(compressed[0]).toBeInstanceOf(Document);
  expect(compressed[0]).toMatchObject({ pageContent: documents[0]!.pageContent, id: 'cat' });
  expect(compressed[0]!.metadata).toEqual({ at: 1, relevanceScore: expect.any(Number) });
  expect(documents[0]!.metadata).toEqual({ at: 1 });
  expect(await compressor.compressDocuments([], 'a')).toEqual([]);
});
