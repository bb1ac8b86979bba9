import type {
  EmbeddingModelV4,
  EmbeddingModelV4CallOptions,
  EmbeddingModelV4Result,
  JSONObject,
} from '@ai-sdk/provider';

import { colbertOf, embeddingsOf, fieldOf, sparseOf } from '../answers.js';
import { inBatches } from '../batches.js';
import { type Answer, exchange } from '../exchange.js';
import type { Settings } from '../settings.js';
import { base64Vectors } from './base64.js';
import { asApiCallError } from './errors.js';
import { EMBEDDING_FIELDS, PROVIDER_KEY, requestFields } from './options.js';

/** What one request made of a text. */
interface Embedded {
  dense: number[];
  sparse: JSONObject | undefined;
  colbert: number[][] | undefined;
}

interface Reading {
  path: string;
  /** The field that holds the texts. */
  field: string;
  body: JSONObject;
  read: (answer: Answer, count: number) => Embedded[];
}

function tokensOf(answer: Answer): number {
  const usage = fieldOf(answer, 'usage') as { prompt_tokens?: unknown } | undefined;
  return typeof usage?.prompt_tokens === 'number' ? usage.prompt_tokens : NaN;
}

// Vectors alone come as base64, which the native route does not have; that one has the other kinds.
function readingOf(model: string, fields: JSONObject): Reading {
  const { return_sparse: sparse, return_colbert_vecs: colbert, ...common } = fields;
  if (!sparse && !colbert) {
    return {
      path: '/v1/embeddings',
      field: 'input',
      body: { model, encoding_format: 'base64', ...common },
      read: (answer, count) =>
        base64Vectors(answer, count).map((dense) => ({ dense, sparse: undefined, colbert: undefined })),
    };
  }
  return {
    path: '/embed',
    field: 'texts',
    body: { model, ...fields },
    read: (answer, count) => {
      const weights = sparse ? sparseOf(answer, count) : [];
      const vectors = colbert ? colbertOf(answer, count) : [];
      return embeddingsOf(answer, 'array', count).map((dense, i) => ({
        dense,
        sparse: weights[i],
        colbert: vectors[i],
      }));
    },
  };
}

function metadataOf(rows: Embedded[], fields: JSONObject): JSONObject | undefined {
  if (!fields.return_sparse && !fields.return_colbert_vecs) return undefined;
  return {
    ...(fields.return_sparse === true && { sparse: rows.map((row) => row.sparse ?? {}) }),
    ...(fields.return_colbert_vecs === true && { colbert: rows.map((row) => row.colbert ?? []) }),
  };
}

/**
 * A model of the service for `embed` and `embedMany`.
 *
 * It takes any number of texts in a call, and itself sends as many in a request as the service takes: `ai`
 * would keep the sparse and ColBERT vectors of the last of its calls alone, and would have all of them on
 * their way at a time. Requests of a call that needs several are sent again here; that of a call that needs
 * but one is left to `ai` and its `maxRetries`.
 */
export function createEmbeddingModel(modelId: string, settings: () => Settings): EmbeddingModelV4 {
  const doEmbed = async (options: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> => {
    const { values, dimensions, abortSignal, headers, providerOptions } = options;
    const fields = requestFields(providerOptions, EMBEDDING_FIELDS);
    if (dimensions !== undefined) fields.dimensions = dimensions;
    const { path, field, body, read } = readingOf(modelId, fields);
    const { batchSize, maxRetries, timeoutMs, baseUrl } = settings();
    const retries = values.length > batchSize ? maxRetries : 0;
    let tokens = 0;
    let response: EmbeddingModelV4Result['response'];
    try {
      const policy = { field, maxRetries: retries, signal: abortSignal };
      const rows = await inBatches(settings(), values, policy, async (part, signal) => {
        const whole = { ...body, [field]: part };
        const answer = await exchange(settings(), {
          method: 'POST',
          path,
          body: whole,
          headers,
          signal,
          timeoutMs,
        });
        const embedded = read(answer, part.length);
        tokens += tokensOf(answer);
        response ??= { headers: Object.fromEntries(answer.headers.entries()), body: answer.json };
        return embedded;
      });
      const metadata = metadataOf(rows, fields);
      return {
        embeddings: rows.map((row) => row.dense),
        usage: { tokens },
        ...(metadata && { providerMetadata: { [PROVIDER_KEY]: metadata } }),
        ...(response && { response }),
        warnings: [],
      };
    } catch (error) {
      throw asApiCallError(error, baseUrl + path, { ...body, [field]: values }, retries);
    }
  };
  return {
    specificationVersion: 'v4',
    provider: 'embedding-service',
    modelId,
    maxEmbeddingsPerCall: Infinity,
    supportsParallelCalls: true,
    doEmbed,
  };
}
