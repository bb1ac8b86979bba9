import { isLasting } from './connection.js';
import { sleep } from './deadline.js';
import { EmbeddingServiceError } from './errors.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
// A service that asks for more is better told to the caller than waited for.
const MOST_RETRY_AFTER_MS = 60_000;

/** What a `Retry-After` asks for, seconds or an HTTP date, in milliseconds from `now` on. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Whether the same request may be answered a little later. */
export function isRetryable(error: unknown): error is EmbeddingServiceError {
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

export interface RetryPolicy {
  maxRetries: number;
  signal?: AbortSignal | undefined;
  /** How many requests of the same call were answered by now. */
  answered?: (() => number) | undefined;
}

/**
 * Asks again as long as `isRetryable`, and `maxRetries` times in a row at most: while others of the same call
 * are answered, the service works, and only has no turn for this one yet.
 */
export async function withRetries<T>(attempt: () => Promise<T>, policy: RetryPolicy): Promise<T> {
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
