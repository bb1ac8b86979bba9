import {
  type EmbeddingModelV4,
  NoSuchModelError,
  type ProviderV4,
  type RerankingModelV4,
} from '@ai-sdk/provider';

import { type EmbeddingClientOptions, type Settings, resolveSettings } from '../settings.js';
import { createEmbeddingModel } from './embedding-model.js';
import { createRerankingModel } from './reranking-model.js';

/** As of `EmbeddingClient`, but for `model`, and for `baseUrl`, which providers spell otherwise. */
export interface EmbeddingServiceProviderSettings extends Omit<EmbeddingClientOptions, 'baseUrl' | 'model'> {
  /** Where the service is. Default: EMBEDDING_SERVICE_URL, or else http://localhost:8001. */
  baseURL?: string | undefined;
}

/** Models by their ids; one that the service does not have is an error only with its `--strict-model`. */
export interface EmbeddingServiceProvider extends ProviderV4 {
  embeddingModel(modelId: string): EmbeddingModelV4;
  /** The same as `embeddingModel`. */
  textEmbeddingModel(modelId: string): EmbeddingModelV4;
  rerankingModel(modelId: string): RerankingModelV4;
}

/** A provider for `ai`. Throws an EmbeddingServiceError for a wrong setting. */
export function createEmbeddingService(
  options: EmbeddingServiceProviderSettings = {},
): EmbeddingServiceProvider {
  const { baseURL, ...others } = options;
  const clientOptions: EmbeddingClientOptions = { ...others, baseUrl: baseURL };
  resolveSettings(clientOptions, {}); // for what it throws
  let resolved: Settings | undefined;
  const settings = (): Settings => (resolved ??= resolveSettings(clientOptions));

  const none =
    (modelType: 'languageModel' | 'imageModel') =>
    (modelId: string): never => {
      throw new NoSuchModelError({ modelId, modelType });
    };
  const embeddingModel = (modelId: string): EmbeddingModelV4 => createEmbeddingModel(modelId, settings);
  return {
    specificationVersion: 'v4',
    embeddingModel,
    textEmbeddingModel: embeddingModel,
    rerankingModel: (modelId) => createRerankingModel(modelId, settings),
    languageModel: none('languageModel'),
    imageModel: none('imageModel'),
  };
}

/** The provider of EMBEDDING_SERVICE_URL and EMBEDDING_SERVICE_API_KEY, which are read at its first call. */
export const embeddingService: EmbeddingServiceProvider = /* @__PURE__ */ createEmbeddingService();
