export type { EmbeddingFormat, EmbeddingFormats, Ranked, SparseVector } from './answers.js';
export type { Progress } from './batches.js';
export {
  type AllEmbeddings,
  type CallOptions,
  type EmbedAllOptions,
  type EmbedOptions,
  EmbeddingClient,
  type RerankOptions,
  embeddingClient,
} from './client.js';
export { EmbeddingServiceError, type EmbeddingServiceErrorType } from './errors.js';
export type { DeviceState, Download, Health, HealthOptions, WaitOptions } from './health.js';
export type { EmbeddingClientOptions, FetchFunction } from './settings.js';
