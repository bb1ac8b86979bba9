/** What the server says of itself and answers, as far as the page reads it. */

export type ModelKind = 'embedding' | 'reranker' | 'classifier';

export interface Model {
  readonly id: string;
  readonly kind: ModelKind;
  /** Numbers of a vector; 0 of a model that has none. */
  readonly dimension: number;
  readonly hasDense: boolean;
  readonly hasSparse: boolean;
  readonly hasColbert: boolean;
  /** Tokens of a text, special tokens included. */
  readonly maxTokens: number;
  readonly device: string;
  readonly dtype: string;
  readonly parameters: number;
  readonly prompts: readonly string[];
}

export interface Info {
  readonly version: string;
  readonly models: readonly Model[];
  /** Most texts of one request to /embed, to /tokenize and to /v1/rerank. */
  readonly maxTexts: number;
  readonly maxInputs: number;
  readonly maxDocuments: number;
  readonly maxQueue: number;
  /** Bytes that the cache may hold in memory; 0 with hasRedis for one that is elsewhere. */
  readonly cacheBytes: number;
  readonly hasRedis: boolean;
}

export interface Download {
  readonly file: string;
  readonly done_bytes: number;
  /** 0 where the hub does not say. */
  readonly total_bytes: number;
}

export type Health =
  | { readonly status: 'healthy'; readonly model: string }
  | { readonly status: 'loading'; readonly model: string; readonly download?: Download }
  | { readonly status: 'unhealthy'; readonly model: string; readonly error: string };

export interface Token {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
  /** Characters (Unicode scalars) of the text; null of a token that the model adds. */
  readonly start: number | null;
  readonly stop: number | null;
}

/** Weights by token id. */
export type Lexical = Readonly<Record<string, number>>;

/** What was asked of the server, to be shown as code. */
export interface Sent {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Embedded {
  readonly dense: readonly Float32Array[];
  readonly lexical: readonly Lexical[];
  readonly colbert: readonly (readonly Float32Array[])[];
  readonly cut: number;
  readonly cached: number;
  readonly sent: readonly Sent[];
}
