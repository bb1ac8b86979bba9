import { isLasting } from './connection.js';
import { sleep } from './deadline.js';
import { EmbeddingServiceError } from './errors.js';
import { exchange, invalidAnswer } from './exchange.js';
import { checkedMs, type Settings } from './settings.js';

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
export async function askHealth(settings: Settings, options: HealthOptions): Promise<Health> {
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
export async function waitForHealth(
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
