import type { RerankingModelV4, RerankingModelV4CallOptions, RerankingModelV4Result } from '@ai-sdk/provider';

import { fieldOf, scoresOf } from '../answers.js';
import { inBatches } from '../batches.js';
import { exchange } from '../exchange.js';
import type { Settings } from '../settings.js';
import { asApiCallError } from './errors.js';
import { RERANKING_FIELDS, requestFields } from './options.js';

/** A model of the service for `rerank`: a cross-encoder, or an embedding model, by which it compares. */
export function createRerankingModel(modelId: string, settings: () => Settings): RerankingModelV4 {
  const doRerank = async (options: RerankingModelV4CallOptions): Promise<RerankingModelV4Result> => {
    const { documents, query, topN, abortSignal, headers, providerOptions } = options;
    const texts =
      documents.type === 'text' ? documents.values : documents.values.map((each) => JSON.stringify(each));
    const body = { model: modelId, query, ...requestFields(providerOptions, RERANKING_FIELDS) };
    const { batchSize, maxRetries, timeoutMs, baseUrl } = settings();
    const retries = texts.length > batchSize ? maxRetries : 0; // as in embedding-model.ts
    let response: RerankingModelV4Result['response'];
    try {
      const policy = { field: 'documents', maxRetries: retries, signal: abortSignal };
      const scores = await inBatches(settings(), texts, policy, async (part, signal) => {
        const answer = await exchange(settings(), {
          method: 'POST',
          path: '/rerank',
          body: { ...body, documents: part },
          headers,
          signal,
          timeoutMs,
        });
        const partScores = scoresOf(answer, part.length);
        response ??= {
          id: String(fieldOf(answer, 'id')),
          modelId: String(fieldOf(answer, 'model')),
          headers: Object.fromEntries(answer.headers.entries()),
          body: answer.json,
        };
        return partScores;
      });
      return {
        ranking: scores
          .map((relevanceScore, index) => ({ index, relevanceScore }))
          .sort((a, b) => b.relevanceScore - a.relevanceScore || a.index - b.index)
          .slice(0, topN),
        ...(response && { response }),
        warnings:
          documents.type === 'text'
            ? []
            : [
                {
                  type: 'compatibility',
                  feature: 'object documents',
                  details: 'they are compared as JSON texts',
                },
              ],
      };
    } catch (error) {
      throw asApiCallError(error, `${baseUrl}/rerank`, { ...body, documents: texts }, retries);
    }
  };
  return { specificationVersion: 'v4', provider: 'embedding-service', modelId, doRerank };
}
