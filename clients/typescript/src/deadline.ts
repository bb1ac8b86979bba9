// What setTimeout takes; a longer pause would become none.
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs `work` with a signal that tells it to stop when `caller` is aborted or `timeoutMs` have passed, and
 * rejects at that moment, whether or not `work` heeds it: with the caller's reason, or with `late()`.
 */
export async function withDeadline<T>(
  caller: AbortSignal | undefined,
  timeoutMs: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted();
  const controller = new AbortController();
  let abort = (): void => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const stop = (reason: unknown): void => {
        reject(reason);
        controller.abort(reason);
      };
      abort = () => stop(caller?.reason);
      caller?.addEventListener('abort', abort);
      if (timeoutMs <= LONGEST_MS) timer = setTimeout(() => stop(late()), timeoutMs);
      work(controller.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    caller?.removeEventListener('abort', abort);
  }
}

/** Rejects with the signal's reason as soon as it is aborted. */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  let abort = (): void => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      timer = setTimeout(resolve, Math.min(ms, LONGEST_MS));
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
