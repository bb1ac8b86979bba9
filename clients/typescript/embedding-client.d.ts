/**
 * What went wrong. The first five are the service's own `error_type`; an input that this client itself
 * refuses is `Validation` too, without a status.
 *
 * - `Validation`: the request is wrong, or the key is (401); sending it again does not help
 * - `Empty`: no text at all
 * - `Backend`: the model does not have what was asked for (424), or the service failed (500)
 * - `Overloaded`: over the rate limit, or the queue is full (429)
 * - `Unhealthy`: loading, stopping or failed (503, or 502 from a proxy before it)
 * - `Connection`: nobody answered there, or the connection broke
 * - `Timeout`: no whole answer within `timeoutMs`
 * - `InvalidAnswer`: an answer that this service would not give; is the URL another server's?
 */
export type EmbeddingServiceErrorType =
  | 'Validation'
  | 'Empty'
  | 'Backend'
  | 'Overloaded'
  | 'Unhealthy'
  | 'Connection'
  | 'Timeout'
  | 'InvalidAnswer';
interface EmbeddingServiceErrorDetails {
  type: EmbeddingServiceErrorType;
  url?: string | undefined;
  status?: number | undefined;
  headers?: Headers | undefined;
  body?: string | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}
/** Every failure of a call, but for the caller's own abort, which rejects with the signal's reason. */
export declare class EmbeddingServiceError extends Error {
  readonly name = 'EmbeddingServiceError';
  readonly type: EmbeddingServiceErrorType;
  /** The URL that was asked, if one was. */
  readonly url: string | undefined;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** Under which the service's log tells of the request. */
  readonly requestId: string | undefined;
  /** How many milliseconds the service asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;
  /** The answer's headers, if there was an answer. */
  readonly headers: Headers | undefined;
  /** The answer's body as it came, if there was an answer with a status that tells of an error. */
  readonly body: string | undefined;
  /** What failed underneath, such as `fetch`'s own error. */
  readonly cause: unknown;
  constructor(message: string, details: EmbeddingServiceErrorDetails);
}
/** A function with the signature of the global `fetch`, as far as this client uses it. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;
export interface EmbeddingClientOptions {
  /**
   * Where the service is, such as `https://example.com/embeddings`.
   * Default: the environment variable EMBEDDING_SERVICE_URL, or else http://localhost:8001.
   */
  baseUrl?: string | undefined;
  /**
   * Sent as `Authorization: Bearer`. Default: the environment variable EMBEDDING_SERVICE_API_KEY, if it is
   * set. In a page everybody can read it: let a route of your own server ask there.
   */
  apiKey?: string | undefined;
  /** Which of the service's models to ask, where it has several. Default: the first of the kind. */
  model?: string | undefined;
  /** Further headers of every request. */
  headers?: Record<string, string> | undefined;
  /** Milliseconds that each request may take, a repeated one anew. Default 300,000; Infinity is no limit. */
  timeoutMs?: number | undefined;
  /**
   * How often a request is sent again after 429, 502, 503 or a broken connection, with growing pauses or
   * those that `Retry-After` asks for. Default 3. Where a call needs several requests and some of them are
   * answered, those that are not begin to count anew.
   */
  maxRetries?: number | undefined;
  /** How many requests of one call are on their way at a time. Default 4. */
  concurrency?: number | undefined;
  /** Texts in a request; fewer where the service takes fewer. Default 100. */
  batchSize?: number | undefined;
  /** Instead of the global `fetch`. */
  fetch?: FetchFunction | undefined;
}
/** What vectors may come as, and what each is. */
export interface EmbeddingFormats {
  /** Numbers, as JSON has them. */
  array: number[];
  /** From the bytes that the service sends: the same vectors, several times faster for many of them. */
  float32: Float32Array;
  /** 255 steps over [-r, r], r = 8 / sqrt(dimension) but at most 1. A quarter of the size of `float32`. */
  int8: Int8Array;
  /** The steps of `int8`, counted from 0. */
  uint8: Uint8Array;
  /** The bits of `ubinary`, each byte less 128. */
  binary: Int8Array;
  /** One bit a component, 1 for those above 0, the first in the highest bit of the first byte. */
  ubinary: Uint8Array;
}
export type EmbeddingFormat = keyof EmbeddingFormats;
/** Token ids, as decimal text, and the weight of each: `{ "83": 1.03 }`. */
export type SparseVector = Record<string, number>;
export interface Ranked {
  /** The document's place in the call. */
  index: number;
  /** Above 0 to 1 by a cross-encoder; a cosine or a sum of such by an embedding model. Higher is better. */
  score: number;
  document: string;
}
/** How far a call is. */
export interface Progress {
  /** Texts that are answered. */
  done: number;
  /** Texts of the call. */
  total: number;
}
/** What `GET /health` tells. */
export type Health =
  | {
      status: 'healthy';
      model: string;
      device: string;
      dimension: number;
    }
  | {
      status: 'loading';
      model: string;
      download?: Download;
    }
  | {
      status: 'unhealthy';
      model: string;
      error: string;
    };
/** How far the download of a model is. */
export interface Download {
  file: string;
  done_bytes: number;
  /** Of all files; 0 where the hub does not say. */
  total_bytes: number;
}
export interface HealthOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds until nobody is taken to answer. Default 10,000. */
  timeoutMs?: number | undefined;
}
export interface WaitOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds to wait altogether. Default 300,000; Infinity, or a signal, for a long download. */
  timeoutMs?: number | undefined;
  /** Milliseconds between two looks. Default 500. */
  intervalMs?: number | undefined;
  /** Told of each look that did not find it ready: what it answered, or why there was no answer. */
  onWaiting?: ((state: Health | EmbeddingServiceError) => void) | undefined;
}
/** What every call takes. */
export interface CallOptions {
  /** Ends the call at once, which rejects with the signal's reason (an `AbortError`, if none was given). */
  signal?: AbortSignal | undefined;
  /** Told each time that texts are answered. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** A saved prompt of the model that is put before each text, such as `query` or `passage`. */
  promptName?: string | undefined;
  /** Whether a text that is longer than the model takes is cut (true, the default) or refused. */
  truncate?: boolean | undefined;
  /** Instead of the client's own. */
  model?: string | undefined;
  /** Instead of the client's own. */
  timeoutMs?: number | undefined;
  /** Instead of the client's own. */
  maxRetries?: number | undefined;
}
interface VectorOptions extends CallOptions {
  /** Whether vectors have length 1 (true, the default) or are as the model made them. */
  normalize?: boolean | undefined;
  /** Only so many components, the first, for models that are trained for that. */
  dimensions?: number | undefined;
}
export interface EmbedOptions<F extends EmbeddingFormat = EmbeddingFormat> extends VectorOptions {
  /** What the vectors are. Default `array`, which is `number[]`. */
  as?: F | undefined;
}
/** The kinds of vectors that models of bge-m3's kind make of a text in one pass. */
export interface AllEmbeddings {
  dense: number[][];
  sparse: SparseVector[];
  /** For each text a vector for each of its tokens but the first. */
  colbert: number[][][];
}
export interface EmbedAllOptions<K extends keyof AllEmbeddings = keyof AllEmbeddings> extends VectorOptions {
  /** Which kinds. Default all three. */
  outputs?: readonly K[] | undefined;
}
export interface RerankOptions extends CallOptions {
  /** Only the best so many. */
  topN?: number | undefined;
  /** How an embedding model compares. Default `dense`; the others need a model of bge-m3's kind. */
  mode?: 'dense' | 'sparse' | 'colbert' | 'hybrid' | undefined;
  /** Of dense, sparse and ColBERT, for `hybrid`. Default each 1. */
  weights?: readonly [number, number, number] | undefined;
  /** Of a cross-encoder: its logits instead of their sigmoid. */
  rawScores?: boolean | undefined;
}
/**
 * Asks an embedding-service. Every method rejects with an {@link EmbeddingServiceError}, or with the reason of
 * the caller's signal. A client holds no connections and needs no closing; one may serve a whole program.
 */
export declare class EmbeddingClient {
  #private;
  /** Throws an EmbeddingServiceError for a wrong option. The environment is read at the first call. */
  constructor(options?: EmbeddingClientOptions);
  /** Where requests go, without a slash at its end. */
  get baseUrl(): string;
  /**
   * A vector for each text, in their order; equal texts have equal vectors. Of no texts there are none, and
   * nothing is asked.
   */
  embed<F extends EmbeddingFormat = 'array'>(
    texts: readonly string[],
    options?: EmbedOptions<F>,
  ): Promise<EmbeddingFormats[F][]>;
  /** The dense, sparse and ColBERT vectors of each text. A model without one of them is an error. */
  embedAll<K extends keyof AllEmbeddings = keyof AllEmbeddings>(
    texts: readonly string[],
    options?: EmbedAllOptions<K>,
  ): Promise<Pick<AllEmbeddings, K>>;
  /** The documents, best first, by the service's cross-encoder, or by its embedding model if it has none. */
  rerank(query: string, documents: readonly string[], options?: RerankOptions): Promise<Ranked[]>;
  /** The cosine of each of `texts` to `text`, in their order. */
  similarity(text: string, texts: readonly string[], options?: CallOptions): Promise<number[]>;
  /** How the service is by now; asks once. Rejects where nobody answers. */
  health(options?: HealthOptions): Promise<Health>;
  /** Resolves when the service is healthy: started, its models downloaded and loaded. */
  waitUntilReady(options?: WaitOptions): Promise<
    Health & {
      status: 'healthy';
    }
  >;
}
/** The client of EMBEDDING_SERVICE_URL and EMBEDDING_SERVICE_API_KEY, which are read at its first call. */
export declare const embeddingClient: EmbeddingClient;
export {};
