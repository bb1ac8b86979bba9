import { invalid } from './errors.js';

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
export interface Settings {
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
export function checkedCount(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw invalid(`${name}: expected a whole number from ${least} on, got ${value}`);
}

/** `value`, if it is a number above zero, which may be Infinity. */
export function checkedMs(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw invalid(`${name}: expected milliseconds above 0, got ${value}`);
}

/** With the defaults for what the options leave open; by default out of the environment. Throws `Validation`. */
export function resolveSettings(
  options: EmbeddingClientOptions,
  given: Environment = environment(),
): Settings {
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
