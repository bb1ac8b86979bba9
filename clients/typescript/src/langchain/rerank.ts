import { Document, type DocumentInterface } from '@langchain/core/documents';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';

import { EmbeddingClient, type RerankOptions } from '../client.js';
import type { EmbeddingClientOptions } from '../settings.js';

/** Options of the client, or a client, and how documents are compared with the query. */
export interface EmbeddingServiceRerankParams
  extends
    EmbeddingClientOptions,
    Pick<RerankOptions, 'topN' | 'mode' | 'weights' | 'promptName' | 'truncate'> {
  /** Instead of one that is made of the other options. */
  client?: EmbeddingClient | undefined;
}

/** Puts documents in the order of the service's reranking, best first, with `metadata.relevanceScore`. */
export class EmbeddingServiceRerank extends BaseDocumentCompressor {
  private readonly client: EmbeddingClient;
  private readonly params: EmbeddingServiceRerankParams;

  constructor(params: EmbeddingServiceRerankParams = {}) {
    super();
    this.client = params.client ?? new EmbeddingClient(params);
    this.params = params;
  }

  override async compressDocuments(
    documents: DocumentInterface[],
    query: string,
  ): Promise<DocumentInterface[]> {
    const { topN, mode, weights, promptName, truncate } = this.params;
    const texts = documents.map((document) => document.pageContent);
    const ranked = await this.client.rerank(query, texts, { topN, mode, weights, promptName, truncate });
    return ranked.map(({ index, score, document: pageContent }) => {
      const { id, metadata } = documents[index] as DocumentInterface;
      return new Document({
        ...(id !== undefined && { id }),
        pageContent,
        metadata: { ...metadata, relevanceScore: score },
      });
    });
  }
}
