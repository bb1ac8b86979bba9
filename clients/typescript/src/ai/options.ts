import { InvalidArgumentError, type JSONObject, type SharedV4ProviderOptions } from '@ai-sdk/provider';

/** The key of `providerOptions` and `providerMetadata`. */
export const PROVIDER_KEY = 'embeddingService';

/** `providerOptions.embeddingService` of `embed` and `embedMany`. */
export type EmbeddingServiceEmbeddingOptions = {
  /** A saved prompt of the model that is put before each text, such as `query` or `passage`. */
  promptName?: string;
  /** Whether vectors have length 1. Default true. */
  normalize?: boolean;
  /** Whether a text that is longer than the model takes is cut (true, the default) or refused. */
  truncate?: boolean;
  /** Lexical weights too, as `providerMetadata.embeddingService.sparse`. */
  sparse?: boolean;
  /** ColBERT vectors too, as `providerMetadata.embeddingService.colbert`. */
  colbert?: boolean;
};

/** `providerOptions.embeddingService` of `rerank`. */
export type EmbeddingServiceRerankingOptions = {
  promptName?: string;
  truncate?: boolean;
  /** How an embedding model compares. Default `dense`; the others need a model of bge-m3's kind. */
  mode?: 'dense' | 'sparse' | 'colbert' | 'hybrid';
  /** Of dense, sparse and ColBERT, for `hybrid`. Default each 1. */
  weights?: [number, number, number];
};

export const EMBEDDING_FIELDS = {
  promptName: 'prompt_name',
  normalize: 'normalize',
  truncate: 'truncate',
  sparse: 'return_sparse',
  colbert: 'return_colbert_vecs',
} as const;

export const RERANKING_FIELDS = {
  promptName: 'prompt_name',
  truncate: 'truncate',
  mode: 'mode',
  weights: 'weights',
} as const;

/** The request's fields for the options of this provider. Throws for one that it does not have. */
export function requestFields(
  options: SharedV4ProviderOptions | undefined,
  names: Readonly<Record<string, string>>,
): JSONObject {
  const fields: JSONObject = {};
  for (const [option, value] of Object.entries(options?.[PROVIDER_KEY] ?? {})) {
    const name = Object.hasOwn(names, option) ? names[option] : undefined;
    if (name === undefined) {
      throw new InvalidArgumentError({
        argument: `providerOptions.${PROVIDER_KEY}`,
        message: `${option}: no such option; there are ${Object.keys(names).join(', ')}`,
      });
    }
    fields[name] = value;
  }
  return fields;
}
