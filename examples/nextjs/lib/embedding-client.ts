// The client of embedding-service as one file, which needs nothing else. Version 0.1.0.
// Made from the package's sources by `node scripts/one-file.mjs`: change it there.
// SPDX-License-Identifier: Apache-2.0

/**
 * What went wrong. The first five are the service's own `error_type`; an input that this client itself
 * refuses is `Validation` too, without a status.
 *
 * - `Validation`: the request is wrong, or the key is (401); sending it again does not help
 * - `Empty`: no text at all
 * - `Backend`: the model does not have what was asked for (424), or the service failed (500)
 * - `Overloaded`: over the rate limit, or the queue is full (429)
 * - `Unhealthy`: loading, stopping or failed (503, or 502 from a proxy before it)
 * - `Connection`: nobody answered there, the connection broke, or TLS did not come about
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

/** Every failure of a call, but for the caller's own abort, which rejects with the signal's reason. `cause` is what
 * failed underneath, such as `fetch`'s own error. */
export class EmbeddingServiceError extends Error {
  override readonly name = 'EmbeddingServiceError';
  readonly type: EmbeddingServiceErrorType;
  /** The URL that was asked, if one was. */
  readonly url: string | undefined;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** Under which the service's log tells of the request. */
  readonly requestId: string | undefined;
  /** How many milliseconds the service asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;
  // Not fields, so that a log of the error does not show them.
  readonly #headers: Headers | undefined;
  readonly #body: string | undefined;

  constructor(message: string, details: EmbeddingServiceErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.type = details.type;
    this.url = details.url;
    this.status = details.status;
    this.requestId = details.headers?.get('x-request-id') ?? undefined;
    this.retryAfterMs = details.retryAfterMs;
    this.#headers = details.headers;
    this.#body = details.body;
  }

  /** The answer's headers, if there was an answer. */
  get headers(): Headers | undefined {
    return this.#headers;
  }

  /** The answer's body as it came, if there was an answer with a status that tells of an error. */
  get body(): string | undefined {
    return this.#body;
  }
}

/** For what the caller passed. */
function invalid(message: string): EmbeddingServiceError {
  return new EmbeddingServiceError(message, { type: 'Validation' });
}

/** What `fetch` tells of a connection that did not come about, or broke. */
interface Fault {
  code: string;
  message: string;
}

// Node's `fetch` says "fetch failed" and tells why in the cause, or for several addresses in its errors.
function faultOf(error: unknown): Fault {
  const cause = (error as { cause?: unknown } | null)?.cause ?? error;
  const { errors, message, code } = (cause ?? {}) as { errors?: unknown[]; message?: string; code?: unknown };
  const first = errors?.[0] as { message?: string } | undefined;
  const name = typeof code === 'string' ? code : '';
  return { code: name, message: first?.message || message || name || String(cause) };
}

interface Kind {
  /** Matched with code and message: programs that run JavaScript tell them in one or the other. */
  pattern: RegExp;
  /** What is the matter, and what to do. */
  say: (url: URL, message: string) => string;
}

/** `url` with the other scheme, without its path. */
function otherScheme(url: URL, scheme: string): string {
  return `${scheme}//${url.host}`;
}

/** Faults of the URL, the port or the certificate: the next try would find the same. */
const LASTING: readonly Kind[] = [
  {
    pattern: /wrong.version.number|packet.length.too.long/i,
    say: (url) => `it speaks http there, not https; use ${otherScheme(url, 'http:')}`,
  },
  {
    pattern: /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/,
    say: (_, message) =>
      `${message}; a certificate that no known authority signed is trusted by Node.js when NODE_EXTRA_CA_CERTS names its file`,
  },
  {
    pattern: /\bCERT_|ERR_TLS_CERT/,
    say: (_, message) => `${message}; the service, or the proxy before it, needs another certificate`,
  },
  {
    pattern: /\bbad port\b/,
    say: (url) => `port ${url.port} is one of those that fetch never asks; let the service listen on another`,
  },
];

/** Either the server goes away, or it waits for TLS and was asked without: nobody can tell which. */
const CLOSED = /UND_ERR_SOCKET|ECONNRESET|HPE_/;

function kindOf({ code, message }: Fault): Kind | undefined {
  return LASTING.find(({ pattern }) => pattern.test(`${code} ${message}`));
}

/** Whether what made `fetch` fail will be the same at the next try. */
function isLasting(error: unknown): boolean {
  return kindOf(faultOf(error)) !== undefined;
}

/** Why nobody answered at `address`, and what to do. */
function whyNoAnswer(address: string, error: unknown): string {
  const fault = faultOf(error);
  const url = new URL(address);
  const kind = kindOf(fault);
  if (kind) return `no answer from ${address}: ${kind.say(url, fault.message)}`;
  const inPage = typeof window !== 'undefined';
  const wantsTls = url.protocol === 'http:' && CLOSED.test(fault.code);
  const hint = inPage
    ? "does the service run there, and does its --cors-origin name this page's origin?"
    : wantsTls
      ? `does the service run there (embedding-service status), and if it does, with https (${otherScheme(url, 'https:')})?`
      : 'does the service run there? (embedding-service status)';
  return `no answer from ${address}: ${fault.message}; ${hint}`;
}

// What setTimeout takes; a longer pause would become none.
const LONGEST_MS = 2 ** 31 - 1;

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Runs `run` when the signal is aborted, unless what it gives back was called before. A signal that many wait
 * for has one listener, since Node.js takes more than ten for a leak, and says so.
 */
function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (!signal) return () => {};
  let all = waiting.get(signal);
  if (!all) {
    const added = new Set<() => void>();
    signal.addEventListener('abort', () => added.forEach((each) => each()), { once: true });
    waiting.set(signal, added);
    all = added;
  }
  const runs = all.add(run);
  return () => void runs.delete(run);
}

/**
 * Runs `work` with a signal that tells it to stop when `caller` is aborted or `timeoutMs` have passed, and
 * rejects at that moment, whether or not `work` heeds it: with the caller's reason, or with `late()`.
 */
async function withDeadline<T>(
  caller: AbortSignal | undefined,
  timeoutMs: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted();
  const controller = new AbortController();
  let forget = (): void => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const stop = (reason: unknown): void => {
        reject(reason);
        controller.abort(reason);
      };
      forget = onAbort(caller, () => stop(caller?.reason));
      if (timeoutMs <= LONGEST_MS) timer = setTimeout(() => stop(late()), timeoutMs);
      work(controller.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    forget();
  }
}

/** Rejects with the signal's reason as soon as it is aborted. */
async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  let forget = (): void => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      forget = onAbort(signal, () => reject(signal?.reason));
      timer = setTimeout(resolve, Math.min(ms, LONGEST_MS));
    });
  } finally {
    clearTimeout(timer);
    forget();
  }
}

const FIRST_PAUSE_MS = 500;

const LONGEST_PAUSE_MS = 8_000;

// A service that asks for more is better told to the caller than waited for.
const MOST_RETRY_AFTER_MS = 60_000;

/** What a `Retry-After` asks for, seconds or an HTTP date, in milliseconds from `now` on. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Whether the same request may be answered a little later. */
function isRetryable(error: unknown): error is EmbeddingServiceError {
  if (!(error instanceof EmbeddingServiceError)) return false;
  if (error.type === 'Connection') return !isLasting(error.cause);
  return error.status === 429 || error.status === 502 || error.status === 503;
}

// Half of the pause and up to the whole of it, so that clients that failed together do not come back together.
function pauseMs(error: EmbeddingServiceError, failures: number): number {
  if (error.retryAfterMs) return error.retryAfterMs * (1 + 0.1 * Math.random());
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return pause * (0.5 + 0.5 * Math.random());
}

interface RetryPolicy {
  maxRetries: number;
  signal?: AbortSignal | undefined;
  /** How many requests of the same call were answered by now. */
  answered?: (() => number) | undefined;
}

/**
 * Asks again as long as `isRetryable`, and `maxRetries` times in a row at most: while others of the same call
 * are answered, the service works, and only has no turn for this one yet.
 */
async function withRetries<T>(attempt: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  const answered = policy.answered ?? (() => 0);
  let seen = answered();
  for (let failures = 0; ; ++failures) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (answered() > seen) failures = 0;
      seen = answered();
      const asked = error.retryAfterMs ?? 0;
      if (failures >= policy.maxRetries || asked > MOST_RETRY_AFTER_MS) throw error;
      await sleep(pauseMs(error, failures), policy.signal);
    }
  }
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
  /**
   * How many requests of one call are on their way at a time. Default 2: the service computes one while the
   * other travels, and more of them only take turns there, each nearer to its time-out.
   */
  concurrency?: number | undefined;
  /** Texts in a request; fewer where the service takes fewer. Default 100. */
  batchSize?: number | undefined;
  /** Instead of the global `fetch`. */
  fetch?: FetchFunction | undefined;
}

/** The options with their defaults. */
interface Settings {
  /** Without a slash at its end. */
  baseUrl: string;
  headers: Record<string, string>;
  model: string | undefined;
  timeoutMs: number;
  maxRetries: number;
  concurrency: number;
  batchSize: number;
  fetch: FetchFunction | undefined;
  /** Texts that the service takes at most, by the field that holds them, as far as it was asked. */
  limits: Map<string, number>;
}

const DEFAULT_URL = 'http://localhost:8001';

// Bundlers replace `process.env.NAME` where it stands literally. Where there is no `process`, as in a
// browser, it is not touched.
declare const process: { env?: Record<string, string | undefined> } | undefined;

interface Environment {
  url?: string | undefined;
  apiKey?: string | undefined;
}

function environment(): Environment {
  if (typeof process === 'undefined' || !process.env) return {};
  return {
    url: process.env.EMBEDDING_SERVICE_URL || undefined,
    apiKey: process.env.EMBEDDING_SERVICE_API_KEY || undefined,
  };
}

function checkedUrl(text: string, name: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(`${name}: expected a URL such as ${DEFAULT_URL}, got ${JSON.stringify(text)}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`${name}: expected http: or https:, got ${JSON.stringify(text)}`);
  }
  if (url.username || url.password) {
    throw invalid(`${name}: may not hold a user's name or password; there are apiKey and headers`);
  }
  if (url.search || url.hash) throw invalid(`${name}: may not hold ? or #, got ${JSON.stringify(text)}`);
  return url.href.replace(/\/+$/, '');
}

// What a header's value may be. `fetch` would tell of others as if the network had failed.
function checkedKey(key: string, name: string): string {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw invalid(
      `${name}: expected printable ASCII characters without spaces; is there a line's end in it?`,
    );
  }
  return key;
}

/** `value`, if it is a whole number from `least` on. */
function checkedCount(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw invalid(`${name}: expected a whole number from ${least} on, got ${value}`);
}

/** `value`, if it is a number above zero, which may be Infinity. */
function checkedMs(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw invalid(`${name}: expected milliseconds above 0, got ${value}`);
}

/** With the defaults for what the options leave open; by default out of the environment. Throws `Validation`. */
function resolveSettings(options: EmbeddingClientOptions, given: Environment = environment()): Settings {
  const apiKey =
    options.apiKey !== undefined
      ? checkedKey(options.apiKey, 'apiKey')
      : given.apiKey && checkedKey(given.apiKey, 'EMBEDDING_SERVICE_API_KEY');
  return {
    baseUrl:
      options.baseUrl !== undefined
        ? checkedUrl(options.baseUrl, 'baseUrl')
        : checkedUrl(given.url ?? DEFAULT_URL, 'EMBEDDING_SERVICE_URL'),
    headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...options.headers },
    model: options.model,
    timeoutMs: checkedMs('timeoutMs', options.timeoutMs ?? 300_000),
    maxRetries: checkedCount('maxRetries', options.maxRetries ?? 3, 0),
    concurrency: checkedCount('concurrency', options.concurrency ?? 2, 1),
    batchSize: checkedCount('batchSize', options.batchSize ?? 100, 1),
    fetch: options.fetch,
    limits: new Map(),
  };
}

interface Question {
  method: 'GET' | 'POST';
  /** Begins with a slash. */
  path: string;
  body?: Record<string, unknown> | undefined;
  accept?: string | undefined;
  headers?: Record<string, string | undefined> | undefined;
  /** Whether a JSON answer with a status besides 2xx is what was asked for, too. Default none. */
  isAnswer?: ((json: unknown) => boolean) | undefined;
  signal?: AbortSignal | undefined;
  timeoutMs: number;
}

/** A body is JSON or, where that was asked for, bytes. */
interface Answer {
  url: string;
  status: number;
  headers: Headers;
  json: unknown;
  bytes: ArrayBuffer | undefined;
}

const OCTET_STREAM = 'application/octet-stream';

const SERVICE_TYPES: readonly string[] = ['Validation', 'Empty', 'Backend', 'Overloaded', 'Unhealthy'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(status: number, given: unknown): EmbeddingServiceErrorType {
  if (typeof given === 'string' && SERVICE_TYPES.includes(given)) return given as EmbeddingServiceErrorType;
  if (status === 429) return 'Overloaded';
  if (status === 502 || status === 503) return 'Unhealthy';
  if (status === 504) return 'Timeout';
  return status === 424 || status >= 500 ? 'Backend' : 'Validation';
}

// Each dialect of the service has its own shape: {"error": "..."}, {"error": {"message"}}, {"message"}.
function messageOf(body: unknown, text: string): string {
  if (isObject(body)) {
    const inner = isObject(body.error) ? body.error.message : body.error;
    for (const each of [inner, body.message, body.detail]) {
      if (typeof each === 'string' && each !== '') return each;
    }
  }
  return text.trim().slice(0, 200) || 'an answer without a text';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(url: string, response: Response, text: string): EmbeddingServiceError {
  const { status, headers } = response;
  const body = parsed(text);
  const id = headers.get('x-request-id');
  // A habit from OpenAI's clients.
  const hint =
    status === 404 && /\/v1\/(v1|embed|similarity|info|health)\b/.test(url)
      ? '; the base URL is that of the service, without /v1'
      : '';
  return new EmbeddingServiceError(
    `${messageOf(body, text)}${hint} (HTTP ${status} from ${url}${id ? `, request ${id}` : ''})`,
    {
      type: typeOf(status, isObject(body) ? body.error_type : undefined),
      url,
      status,
      headers,
      body: text,
      retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
    },
  );
}

function invalidAnswer(answer: Omit<Answer, 'json' | 'bytes'>, problem: string): EmbeddingServiceError {
  const { url, status, headers } = answer;
  return new EmbeddingServiceError(`${problem} in the answer of ${url}; is an embedding-service there?`, {
    type: 'InvalidAnswer',
    url,
    status,
    headers,
  });
}

async function read(url: string, response: Response, isAnswer: (json: unknown) => boolean): Promise<Answer> {
  const { status, headers } = response;
  const answer = { url, status, headers, json: undefined, bytes: undefined };
  const type = headers.get('content-type') ?? '';
  if (response.ok && type.startsWith(OCTET_STREAM)) return { ...answer, bytes: await response.arrayBuffer() };
  const text = await response.text();
  const json = parsed(text);
  if (!response.ok && !isAnswer(json)) throw refusal(url, response, text);
  if (json === undefined) throw invalidAnswer(answer, 'no JSON');
  return { ...answer, json };
}

/** Asks once. Rejects with an EmbeddingServiceError, or with the reason of `signal`. */
function exchange(settings: Settings, question: Question): Promise<Answer> {
  const url = settings.baseUrl + question.path;
  const headers: Record<string, string> = { accept: question.accept ?? 'application/json' };
  if (question.body) headers['content-type'] = 'application/json';
  for (const [name, value] of Object.entries({ ...settings.headers, ...question.headers })) {
    if (value !== undefined) headers[name.toLowerCase()] = value;
  }
  const init: RequestInit = { method: question.method, headers };
  if (question.body) init.body = JSON.stringify(question.body);
  // Frameworks keep answers to GET, and some edge runtimes do not know how not to.
  else if (typeof Request !== 'undefined' && 'cache' in Request.prototype) init.cache = 'no-store';

  const late = (): Error =>
    new EmbeddingServiceError(`no whole answer from ${url} within ${question.timeoutMs} ms (timeoutMs)`, {
      type: 'Timeout',
      url,
    });
  return withDeadline(question.signal, question.timeoutMs, late, async (signal) => {
    try {
      // Called without an object before it: browsers refuse it as a method of another.
      const ask = settings.fetch ?? fetch;
      return await read(url, await ask(url, { ...init, signal }), question.isAnswer ?? (() => false));
    } catch (error) {
      if (error instanceof EmbeddingServiceError) throw error;
      throw new EmbeddingServiceError(whyNoAnswer(url, error), { type: 'Connection', url, cause: error });
    }
  });
}

/** What vectors may come as, and what each is. */
export interface EmbeddingFormats {
  /** Numbers, as JSON has them. */
  array: number[];
  /** From the bytes that the service sends: the same vectors, three to four times as fast. */
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

/** The service's vectors are floats, or one of these. */
const INTEGERS = { int8: Int8Array, uint8: Uint8Array, binary: Int8Array, ubinary: Uint8Array };

/** How requests call a format; undefined for floats. Throws `Validation`. */
function outputDtype(format: EmbeddingFormat): string | undefined {
  if (format === 'array' || format === 'float32') return undefined;
  if (Object.hasOwn(INTEGERS, format)) return format;
  const all = ['array', 'float32', ...Object.keys(INTEGERS)];
  throw invalid(`as: expected one of ${all.join(', ')}, got ${JSON.stringify(format)}`);
}

/** The field `name` of an answer that is an object. */
function fieldOf(answer: Answer, name: string): unknown {
  return (answer.json as Record<string, unknown> | null | undefined)?.[name];
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

/** `value`, if it is `count` vectors of one length. Throws `InvalidAnswer`. */
function vectorsOf(answer: Answer, value: unknown, count: number): number[][] {
  const good = Array.isArray(value) && value.length === count && value.every(isNumbers);
  if (!good) throw invalidAnswer(answer, `no ${count} embeddings`);
  const vectors = value as number[][];
  if (vectors.some((vector) => vector.length !== vectors[0]?.length)) {
    throw invalidAnswer(answer, 'embeddings of different lengths');
  }
  return vectors;
}

/** Vectors out of bytes: row-major little-endian f32, whose shape the header `x-shape` tells. */
function fromBytes(answer: Answer, bytes: ArrayBuffer, count: number): Float32Array[] {
  const [rows, columns] = (answer.headers.get('x-shape') ?? '').split(',').map(Number);
  if (rows !== count || !columns || rows * columns * 4 !== bytes.byteLength) {
    throw invalidAnswer(answer, `no ${count} embeddings`);
  }
  // Each with a buffer of its own: databases are given `vector.buffer`.
  const all = new Float32Array(bytes);
  return Array.from({ length: rows }, (_, i) => all.slice(i * columns, (i + 1) * columns));
}

/** The dense vectors of an answer of `POST /embed`, in the format that was asked for. */
function embeddingsOf<F extends EmbeddingFormat>(
  answer: Answer,
  format: F,
  count: number,
): EmbeddingFormats[F][] {
  return embeddings(answer, format, count) as EmbeddingFormats[F][];
}

function embeddings(
  answer: Answer,
  format: EmbeddingFormat,
  count: number,
): EmbeddingFormats[EmbeddingFormat][] {
  if (answer.bytes) {
    const vectors = fromBytes(answer, answer.bytes, count);
    return format === 'float32' ? vectors : vectors.map((vector) => Array.from(vector));
  }
  const vectors = vectorsOf(answer, fieldOf(answer, 'embeddings'), count);
  if (format === 'array') return vectors;
  if (format === 'float32') return vectors.map((vector) => Float32Array.from(vector));
  return vectors.map((vector) => {
    const integers = INTEGERS[format].from(vector);
    if (integers.some((each, i) => each !== vector[i]))
      throw invalidAnswer(answer, `no ${format} embeddings`);
    return integers;
  });
}

/** The lexical weights of `count` texts. Throws `InvalidAnswer`. */
function sparseOf(answer: Answer, count: number): SparseVector[] {
  const value = fieldOf(answer, 'lexical_weights');
  const isWeights = (each: unknown): boolean =>
    typeof each === 'object' &&
    each !== null &&
    Object.values(each).every((weight) => typeof weight === 'number');
  if (Array.isArray(value) && value.length === count && value.every(isWeights))
    return value as SparseVector[];
  throw invalidAnswer(answer, `no ${count} lexical_weights`);
}

/** The ColBERT vectors of `count` texts, one for each token but the first. Throws `InvalidAnswer`. */
function colbertOf(answer: Answer, count: number): number[][][] {
  const value = fieldOf(answer, 'colbert_vecs');
  const isRows = (each: unknown): boolean => Array.isArray(each) && each.every(isNumbers);
  if (Array.isArray(value) && value.length === count && value.every(isRows)) return value as number[][][];
  throw invalidAnswer(answer, `no ${count} colbert_vecs`);
}

/** The score of each of `count` documents, in their order, out of a ranking of all. Throws `InvalidAnswer`. */
function scoresOf(answer: Answer, count: number): number[] {
  const results = fieldOf(answer, 'results');
  const scores = new Array<number>(count).fill(NaN);
  if (Array.isArray(results)) {
    for (const each of results as ({ index?: unknown; relevance_score?: unknown } | null)[]) {
      if (typeof each?.index === 'number' && typeof each.relevance_score === 'number') {
        scores[each.index] = each.relevance_score;
      }
    }
  }
  if (scores.length === count && scores.every((score) => !Number.isNaN(score))) return scores;
  throw invalidAnswer(answer, `no scores of ${count} documents`);
}

/** An answer that is itself an array of `count` numbers. Throws `InvalidAnswer`. */
function numbersOf(answer: Answer, count: number): number[] {
  if (isNumbers(answer.json) && answer.json.length === count) return answer.json;
  throw invalidAnswer(answer, `no ${count} numbers`);
}

/** How far a call is. */
export interface Progress {
  /** Texts that are answered. */
  done: number;
  /** Texts of the call. */
  total: number;
}

interface BatchOptions {
  /** The field of the request that holds the texts: `texts`, `documents`, `inputs`, `input`. */
  field: string;
  maxRetries: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

interface Batch {
  offset: number;
  texts: readonly string[];
}

function split(batch: Batch, size: number): Batch[] {
  const parts: Batch[] = [];
  for (let i = 0; i < batch.texts.length; i += size) {
    parts.push({ offset: batch.offset + i, texts: batch.texts.slice(i, i + size) });
  }
  return parts;
}

/** What `/info` says about the most texts of a request; undefined where there is no such page. */
async function askLimit(settings: Settings, field: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { timeoutMs } = settings;
    const { json } = await exchange(settings, { method: 'GET', path: '/info', signal, timeoutMs });
    const info = json as { max_client_batch_sizes?: Record<string, unknown>; max_queue?: unknown } | null;
    const limit = Math.min(
      Number(info?.max_client_batch_sizes?.[field]),
      Number(info?.max_queue ?? Infinity),
    );
    return limit >= 1 ? limit : undefined;
  } catch (error) {
    if (error instanceof EmbeddingServiceError) return undefined; // that of the request is the one to tell
    throw error;
  }
}

/** The size to which a batch that was refused is to be split, if its size was what it was refused for. */
async function smallerSize(
  settings: Settings,
  field: string,
  error: unknown,
  size: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (size === 1 || !(error instanceof EmbeddingServiceError)) return undefined;
  if (error.status === 413) return Math.ceil(size / 2); // the body: a proxy's limit, or long texts
  if (error.status !== 422) return undefined;
  let limit = settings.limits.get(field);
  if (limit === undefined || limit >= size) {
    limit = await askLimit(settings, field, signal);
    if (limit !== undefined) settings.limits.set(field, limit);
  }
  return limit !== undefined && limit < size ? limit : undefined;
}

/** The same error, with the text's place in the call instead of that in its request. */
function placed(error: unknown, offset: number): unknown {
  if (offset === 0 || !(error instanceof EmbeddingServiceError)) return error;
  const message = error.message.replace(
    /\b(texts|documents|sentences|inputs?)\[(\d+)\]/,
    (_, name, index) => {
      return `${name}[${Number(index) + offset}]`;
    },
  );
  return new EmbeddingServiceError(message, error);
}

/** Does `work` with all of `queue`, `most` at a time; it may put more into the queue. The first failure ends it. */
function allOf<T>(queue: T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let inHand = 0;
    const next = (): void => {
      while (inHand < most && queue.length > 0) {
        ++inHand;
        work(queue.shift() as T).then(
          () => {
            --inHand;
            next();
          },
          (error: unknown) => {
            queue.length = 0;
            reject(error);
          },
        );
      }
      if (inHand === 0) resolve();
    };
    next();
  });
}

/**
 * Sends `texts` in as many requests as they need, `concurrency` at a time, and gives what `send` made of them
 * in their order. The first request that fails for good ends the others.
 */
async function inBatches<T>(
  settings: Settings,
  texts: readonly string[],
  options: BatchOptions,
  send: (texts: readonly string[], signal: AbortSignal) => Promise<readonly T[]>,
): Promise<T[]> {
  const { field, maxRetries, onProgress } = options;
  options.signal?.throwIfAborted();
  const results = new Array<T>(texts.length);
  const size = Math.min(settings.batchSize, settings.limits.get(field) ?? Infinity);
  const queue = split({ offset: 0, texts }, size);
  const stop = new AbortController();
  const forget = onAbort(options.signal, () => stop.abort(options.signal?.reason));
  let answered = 0;
  let done = 0;

  const answer = async (batch: Batch): Promise<void> => {
    const { offset, texts: part } = batch;
    try {
      const policy = { maxRetries, signal: stop.signal, answered: () => answered };
      const values = await withRetries(() => send(part, stop.signal), policy);
      values.forEach((value, i) => (results[offset + i] = value));
    } catch (error) {
      const smaller = await smallerSize(settings, field, error, part.length, stop.signal);
      if (smaller === undefined) throw placed(error, offset);
      queue.unshift(...split(batch, smaller));
      return;
    }
    ++answered;
    done += part.length;
    onProgress?.({ done, total: texts.length });
  };

  try {
    await allOf(queue, settings.concurrency, answer);
    return results;
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    forget();
  }
}

/** What `GET /health` tells. */
export type Health =
  | { status: 'healthy'; model: string; device: string; dimension: number; devices?: DeviceState[] }
  | { status: 'loading'; model: string; download?: Download }
  | { status: 'unhealthy'; model: string; error: string; devices?: DeviceState[] };

/** How a device is that computes a model; told where there are several, or one does not work. */
export interface DeviceState {
  model: string;
  device: string;
  /** `failed`: its last batch failed. `hanging`: it has not answered for `--device-timeout`. */
  status: 'healthy' | 'failed' | 'hanging';
  error?: string;
  /** Since when it has not answered, as `2026-01-02T03:04:05Z`. */
  since?: string;
}

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

function isHealth(json: unknown): json is Health {
  const status = (json as Partial<Health> | null | undefined)?.status;
  return status === 'healthy' || status === 'loading' || status === 'unhealthy';
}

/**
 * How long a service that has failed is looked at further. It tries its device every second, and what was short
 * of memory for a moment works again; what is not back after some tries needs a person.
 */
const FAILED_MS = 5_000;

/** Asks once. Rejects where nobody answers, another server does, or the service is stopping. */
async function askHealth(settings: Settings, options: HealthOptions): Promise<Health> {
  const answer = await exchange(settings, {
    method: 'GET',
    path: '/health',
    isAnswer: isHealth,
    signal: options.signal,
    timeoutMs: checkedMs('timeoutMs', options.timeoutMs ?? 10_000),
  });
  if (!isHealth(answer.json)) throw invalidAnswer(answer, 'no health');
  return answer.json;
}

// A server that is starting, or whose proxy is: everything else stays as it is.
function mayPass(error: unknown): error is EmbeddingServiceError {
  if (!(error instanceof EmbeddingServiceError)) return false;
  if (error.type === 'Connection') return !isLasting(error.cause);
  return error.type === 'Timeout' || (error.status ?? 0) >= 500;
}

function shown(state: Health | EmbeddingServiceError): string {
  return state instanceof EmbeddingServiceError ? state.message : `it is ${JSON.stringify(state)}`;
}

function failed(
  settings: Settings,
  { model, error }: Health & { status: 'unhealthy' },
): EmbeddingServiceError {
  const url = `${settings.baseUrl}/health`;
  return new EmbeddingServiceError(
    `${model} has failed, and is not back after ${FAILED_MS} ms: ${error} (${url})`,
    {
      type: 'Unhealthy',
      url,
      status: 503,
    },
  );
}

/** Looks until the service is healthy, or has been unhealthy for `FAILED_MS`. */
async function waitForHealth(
  settings: Settings,
  options: WaitOptions,
): Promise<Health & { status: 'healthy' }> {
  const timeoutMs = checkedMs('timeoutMs', options.timeoutMs ?? 300_000);
  const intervalMs = checkedMs('intervalMs', options.intervalMs ?? 500);
  const end = Date.now() + timeoutMs;
  let last: Health | EmbeddingServiceError | undefined;
  let failedSince: number | undefined;
  for (;;) {
    let state: Health | EmbeddingServiceError;
    try {
      const left = Math.max(1, Math.min(10_000, end - Date.now()));
      state = await askHealth(settings, { signal: options.signal, timeoutMs: left });
      if (state.status === 'healthy') return state;
      last = state;
    } catch (error) {
      if (!mayPass(error)) throw error;
      state = error;
      // The last look may have had no time: what was seen before tells more.
      if (error.type !== 'Timeout' || last === undefined) last = error;
    }
    options.onWaiting?.(state);
    if (state instanceof EmbeddingServiceError || state.status !== 'unhealthy') failedSince = undefined;
    else if (Date.now() - (failedSince ??= Date.now()) >= FAILED_MS) throw failed(settings, state);
    if (Date.now() + intervalMs >= end) {
      throw new EmbeddingServiceError(`not ready within ${timeoutMs} ms: ${shown(last)}`, {
        type: 'Timeout',
        url: settings.baseUrl,
        cause: last,
      });
    }
    await sleep(intervalMs, options.signal);
  }
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
