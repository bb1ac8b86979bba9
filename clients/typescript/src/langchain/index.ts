export { EmbeddingServiceEmbeddings, type EmbeddingServiceEmbeddingsParams } from './embeddings.js';
export { EmbeddingServiceRerank, type EmbeddingServiceRerankParams } from './rerank.js';
