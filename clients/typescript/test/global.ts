import type { TestProject } from 'vitest/node';

import { MINILM, Server, TINY_BGE_M3, TINY_RERANKER } from './server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Three models, without a cache, so that every vector is computed. */
    url: string;
    /** Wants the key `s3cret` or `sl0w`, takes 10 texts a request, and of each key 5 requests a second. */
    guardedUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [main, guarded] = await Promise.all([
    Server.start('--model', TINY_BGE_M3, '--model', TINY_RERANKER, '--model', MINILM, '--cache', '0'),
    Server.start(
      ...[
        '--model',
        TINY_BGE_M3,
        '--api-key',
        's3cret',
        '--api-key',
        'sl0w',
        '--max-client-batch-size',
        '10',
      ],
      ...['--rate-limit-requests', '5'],
    ),
  ]);
  project.provide('url', main.url);
  project.provide('guardedUrl', guarded.url);
  return async () => {
    await Promise.all([main.stop(), guarded.stop()]);
  };
}
