import { onAbort } from './deadline.js';
import { EmbeddingServiceError } from './errors.js';
import { exchange } from './exchange.js';
import { withRetries } from './retry.js';
import type { Settings } from './settings.js';

/** How far a call is. */
export interface Progress {
  /** Texts that are answered. */
  done: number;
  /** Texts of the call. */
  total: number;
}

export interface BatchOptions {
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
export async function inBatches<T>(
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
