import path from 'node:path';

export const EXAMPLE = path.resolve(import.meta.dirname, '../..');
export const REPOSITORY = path.resolve(EXAMPLE, '../..');
/** Where pictures of the pages go, to be looked at. */
export const SCREENSHOTS = path.join(REPOSITORY, 'build/screenshots/nextjs');

export const BINARY = path.resolve(
  process.env.EMBEDDING_SERVICE_BIN ?? path.join(REPOSITORY, 'build/release/embedding-service'),
);
export const CHROMIUM = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';

export const MODELS = {
  /** Reads a hundred languages, and has the prompts `query` and `passage`. */
  e5: path.join(REPOSITORY, 'models/multilingual-e5-small'),
  /** English. */
  miniLm: path.join(REPOSITORY, 'models/all-MiniLM-L6-v2'),
  /** With random weights, but all of bge-m3's heads. */
  tinyBgeM3: path.join(REPOSITORY, 'tests/data/tiny-bge-m3'),
  tinyReranker: path.join(REPOSITORY, 'tests/data/tiny-reranker'),
};
