import { Embeddings } from '@langchain/core/embeddings';

import { EmbeddingClient } from '../client.js';
import type { EmbeddingClientOptions } from '../settings.js';

/** Options of the client, or a client, and how texts are made into vectors. */
export interface EmbeddingServiceEmbeddingsParams extends EmbeddingClientOptions {
  /** Instead of one that is made of the other options. */
  client?: EmbeddingClient | undefined;
  /** Whether vectors have length 1. Default true. */
  normalize?: boolean | undefined;
  /** Only so many components, the first, for models that are trained for that. */
  dimensions?: number | undefined;
  /** A saved prompt of the model that is put before what is asked, such as `query`. */
  queryPromptName?: string | undefined;
  /** A saved prompt of the model that is put before what may answer, such as `passage`. */
  documentPromptName?: string | undefined;
}

/** LangChain's embeddings by the service. Retries and concurrency are the client's. */
export class EmbeddingServiceEmbeddings extends Embeddings {
  private readonly client: EmbeddingClient;
  private readonly params: EmbeddingServiceEmbeddingsParams;

  constructor(params: EmbeddingServiceEmbeddingsParams = {}) {
    super({});
    this.client = params.client ?? new EmbeddingClient(params);
    this.params = params;
  }

  override async embedDocuments(documents: string[]): Promise<number[][]> {
    return this.embed(documents, this.params.documentPromptName);
  }

  override async embedQuery(document: string): Promise<number[]> {
    const [vector] = await this.embed([document], this.params.queryPromptName);
    return vector as number[]; // the client gives one for each text, or rejects
  }

  private embed(texts: string[], promptName: string | undefined): Promise<number[][]> {
    const { normalize, dimensions } = this.params;
    return this.client.embed(texts, { normalize, dimensions, promptName });
  }
}
