export type { EmbeddingServiceEmbeddingOptions, EmbeddingServiceRerankingOptions } from './options.js';
export {
  type EmbeddingServiceProvider,
  type EmbeddingServiceProviderSettings,
  createEmbeddingService,
  embeddingService,
} from './provider.js';
