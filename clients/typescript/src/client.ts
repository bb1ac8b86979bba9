import {
  type EmbeddingFormat,
  type EmbeddingFormats,
  type Ranked,
  type SparseVector,
  colbertOf,
  embeddingsOf,
  numbersOf,
  outputDtype,
  scoresOf,
  sparseOf,
} from './answers.js';
import { type Progress, inBatches } from './batches.js';
import { invalid } from './errors.js';
import { type Answer, OCTET_STREAM, exchange } from './exchange.js';
import { type Health, type HealthOptions, type WaitOptions, askHealth, waitForHealth } from './health.js';
import {
  type EmbeddingClientOptions,
  type Settings,
  checkedCount,
  checkedMs,
  resolveSettings,
} from './settings.js';

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

const KINDS = ['dense', 'sparse', 'colbert'] as const;

function checkTexts(name: string, texts: readonly string[]): void {
  const given: unknown = texts;
  if (!Array.isArray(given)) throw invalid(`${name}: expected an array of strings, got ${typeof given}`);
  const wrong = given.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) throw invalid(`${name}[${wrong}]: expected a string, got ${typeof given[wrong]}`);
}

function checkText(name: string, text: string): void {
  if (typeof text !== 'string') throw invalid(`${name}: expected a string, got ${typeof text}`);
}

/**
 * Asks an embedding-service. Every method rejects with an {@link EmbeddingServiceError}, or with the reason of
 * the caller's signal. A client holds no connections and needs no closing; one may serve a whole program.
 */
export class EmbeddingClient {
  readonly #options: EmbeddingClientOptions;
  #resolved: Settings | undefined;

  /** Throws an EmbeddingServiceError for a wrong option. The environment is read at the first call. */
  constructor(options: EmbeddingClientOptions = {}) {
    this.#options = { ...options };
    resolveSettings(options, {}); // for what it throws
  }

  get #settings(): Settings {
    return (this.#resolved ??= resolveSettings(this.#options));
  }

  /** Where requests go, without a slash at its end. */
  get baseUrl(): string {
    return this.#settings.baseUrl;
  }

  /**
   * A vector for each text, in their order; equal texts have equal vectors. Of no texts there are none, and
   * nothing is asked.
   */
  async embed<F extends EmbeddingFormat = 'array'>(
    texts: readonly string[],
    options: EmbedOptions<F> = {},
  ): Promise<EmbeddingFormats[F][]> {
    checkTexts('texts', texts);
    const format = (options.as ?? 'array') as F;
    const accept = format === 'float32' ? OCTET_STREAM : undefined;
    const body = { ...vectorFields(options), output_dtype: outputDtype(format) };
    return this.#batches('texts', texts, options, async (part, signal) => {
      const answer = await this.#post('/embed', { texts: part, ...body }, options, signal, accept);
      return embeddingsOf(answer, format, part.length);
    });
  }

  /** The dense, sparse and ColBERT vectors of each text. A model without one of them is an error. */
  async embedAll<K extends keyof AllEmbeddings = keyof AllEmbeddings>(
    texts: readonly string[],
    options: EmbedAllOptions<K> = {},
  ): Promise<Pick<AllEmbeddings, K>> {
    checkTexts('texts', texts);
    const kinds: readonly (keyof AllEmbeddings)[] = options.outputs ?? KINDS;
    if (kinds.length === 0 || kinds.some((kind) => !KINDS.includes(kind))) {
      throw invalid(`outputs: expected some of ${KINDS.join(', ')}, got ${JSON.stringify(kinds)}`);
    }
    const [dense, sparse, colbert] = KINDS.map((kind) => kinds.includes(kind));
    const body = {
      ...vectorFields(options),
      return_dense: dense,
      return_sparse: sparse,
      return_colbert_vecs: colbert,
    };
    const rows = await this.#batches('texts', texts, options, async (part, signal) => {
      const answer = await this.#post('/embed', { texts: part, ...body }, options, signal);
      const denseRows = dense ? embeddingsOf(answer, 'array', part.length) : [];
      const sparseRows = sparse ? sparseOf(answer, part.length) : [];
      const colbertRows = colbert ? colbertOf(answer, part.length) : [];
      return part.map((_, i) => ({ dense: denseRows[i], sparse: sparseRows[i], colbert: colbertRows[i] }));
    });
    return Object.fromEntries(kinds.map((kind) => [kind, rows.map((row) => row[kind])])) as Pick<
      AllEmbeddings,
      K
    >;
  }

  /** The documents, best first, by the service's cross-encoder, or by its embedding model if it has none. */
  async rerank(query: string, documents: readonly string[], options: RerankOptions = {}): Promise<Ranked[]> {
    checkText('query', query);
    checkTexts('documents', documents);
    const topN = options.topN === undefined ? undefined : checkedCount('topN', options.topN, 1);
    const { mode, weights, rawScores } = options;
    const body = { query, mode, weights, raw_scores: rawScores, ...commonFields(options) };
    const scores = await this.#batches('documents', documents, options, async (part, signal) => {
      const answer = await this.#post('/rerank', { documents: part, ...body }, options, signal);
      return scoresOf(answer, part.length);
    });
    return documents
      .map((document, index) => ({ index, score: scores[index] ?? NaN, document }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, topN);
  }

  /** The cosine of each of `texts` to `text`, in their order. */
  async similarity(text: string, texts: readonly string[], options: CallOptions = {}): Promise<number[]> {
    checkText('text', text);
    checkTexts('texts', texts);
    const { model, ...parameters } = commonFields(options);
    return this.#batches('inputs', texts, options, async (part, signal) => {
      const body = { inputs: { source_sentence: text, sentences: part }, parameters, model };
      return numbersOf(await this.#post('/similarity', body, options, signal), part.length);
    });
  }

  /** How the service is by now; asks once. Rejects where nobody answers. */
  async health(options: HealthOptions = {}): Promise<Health> {
    return askHealth(this.#settings, options);
  }

  /**
   * Resolves when the service is healthy: started, its models downloaded and loaded. Rejects with `Timeout`, with
   * `Unhealthy` and its reason once the service has failed, and at once where waiting does not help.
   */
  async waitUntilReady(options: WaitOptions = {}): Promise<Health & { status: 'healthy' }> {
    return waitForHealth(this.#settings, options);
  }

  #batches<T>(
    field: string,
    texts: readonly string[],
    options: CallOptions,
    send: (texts: readonly string[], signal: AbortSignal) => Promise<readonly T[]>,
  ): Promise<T[]> {
    const settings = this.#settings;
    const maxRetries = checkedCount('maxRetries', options.maxRetries ?? settings.maxRetries, 0);
    const { signal, onProgress } = options;
    return inBatches(settings, texts, { field, maxRetries, signal, onProgress }, send);
  }

  #post(
    path: string,
    body: Record<string, unknown>,
    options: CallOptions,
    signal: AbortSignal,
    accept?: string,
  ): Promise<Answer> {
    const settings = this.#settings;
    const timeoutMs = checkedMs('timeoutMs', options.timeoutMs ?? settings.timeoutMs);
    const whole = { model: settings.model, ...defined(body) };
    return exchange(settings, { method: 'POST', path, body: whole, accept, signal, timeoutMs });
  }
}

function commonFields(options: CallOptions): { model?: string; prompt_name?: string; truncate?: boolean } {
  const { model, promptName, truncate } = options;
  return defined({ model, prompt_name: promptName, truncate });
}

function vectorFields(options: VectorOptions): Record<string, unknown> {
  const { normalize, dimensions } = options;
  return { ...commonFields(options), ...defined({ normalize, dimensions }) };
}

/** Without what is undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** The client of EMBEDDING_SERVICE_URL and EMBEDDING_SERVICE_API_KEY, which are read at its first call. */
export const embeddingClient: EmbeddingClient = /* @__PURE__ */ new EmbeddingClient();
