// Checked by `tsc -p test`, never run.
import type { EmbeddingModelV4, ProviderV4, RerankingModelV4 } from '@ai-sdk/provider';
import type { Embeddings } from '@langchain/core/embeddings';
import { expectTypeOf } from 'vitest';

import * as oneFile from '../embedding-client.js';
import { embeddingService } from '../src/ai/index.js';
import * as all from '../src/index.js';
import {
  type EmbeddingFormat,
  EmbeddingServiceError,
  type SparseVector,
  embeddingClient,
} from '../src/index.js';
import { EmbeddingServiceEmbeddings } from '../src/langchain/index.js';

const texts: readonly string[] = ['a'];

expectTypeOf(await embeddingClient.embed(texts)).toEqualTypeOf<number[][]>();
expectTypeOf(await embeddingClient.embed(texts, { normalize: false })).toEqualTypeOf<number[][]>();
expectTypeOf(await embeddingClient.embed(texts, { as: 'array' })).toEqualTypeOf<number[][]>();
expectTypeOf(await embeddingClient.embed(texts, { as: 'float32' })).toEqualTypeOf<Float32Array[]>();
expectTypeOf(await embeddingClient.embed(texts, { as: 'binary' })).toEqualTypeOf<Int8Array[]>();
expectTypeOf(await embeddingClient.embed(texts, { as: 'ubinary' })).toEqualTypeOf<Uint8Array[]>();
expectTypeOf(await embeddingClient.embed(texts, { as: 'int8' as EmbeddingFormat })).items.toEqualTypeOf<
  number[] | Float32Array | Int8Array | Uint8Array
>();

const every = await embeddingClient.embedAll(texts);
expectTypeOf(every.dense).toEqualTypeOf<number[][]>();
expectTypeOf(every.sparse).toEqualTypeOf<SparseVector[]>();
expectTypeOf(every.colbert).toEqualTypeOf<number[][][]>();
const some = await embeddingClient.embedAll(texts, { outputs: ['sparse'] });
expectTypeOf(some).toEqualTypeOf<Pick<all.AllEmbeddings, 'sparse'>>();
// @ts-expect-error: was not asked for
void some.dense;

expectTypeOf(await embeddingClient.rerank('a', texts)).toEqualTypeOf<
  { index: number; score: number; document: string }[]
>();
expectTypeOf(await embeddingClient.similarity('a', texts)).toEqualTypeOf<number[]>();
expectTypeOf((await embeddingClient.waitUntilReady()).dimension).toEqualTypeOf<number>();
const health = await embeddingClient.health();
if (health.status === 'unhealthy') expectTypeOf(health.error).toEqualTypeOf<string>();
// @ts-expect-error: only of a healthy one
void health.dimension;

// @ts-expect-error: one text is an array of one
void embeddingClient.embed('a');
// @ts-expect-error: no such format
void embeddingClient.embed(texts, { as: 'float16' });
// @ts-expect-error: no such option
void embeddingClient.embed(texts, { normalise: true });
// @ts-expect-error: three weights
void embeddingClient.rerank('a', texts, { mode: 'hybrid', weights: [1, 1] });
// @ts-expect-error: it cannot be set
new EmbeddingServiceError('a', { type: 'Empty' }).status = 1;

// What the environment may lack can be passed on as it is.
void new all.EmbeddingClient({ baseUrl: undefined, apiKey: undefined });

expectTypeOf(embeddingService).toExtend<ProviderV4>();
expectTypeOf(embeddingService.embeddingModel('a')).toEqualTypeOf<EmbeddingModelV4>();
expectTypeOf(embeddingService.rerankingModel('a')).toEqualTypeOf<RerankingModelV4>();
expectTypeOf(new EmbeddingServiceEmbeddings()).toExtend<Embeddings>();

// The one file has the same names with the same types.
expectTypeOf<keyof typeof oneFile>().toEqualTypeOf<keyof typeof all>();
expectTypeOf<oneFile.EmbedOptions>().toEqualTypeOf<all.EmbedOptions>();
expectTypeOf(await oneFile.embeddingClient.embed(texts)).toEqualTypeOf<number[][]>();
