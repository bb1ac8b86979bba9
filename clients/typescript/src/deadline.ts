// What setTimeout takes; a longer pause would become none.
const LONGEST_MS = 2 ** 31 - 1;

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Runs `run` when the signal is aborted, unless what it gives back was called before. A signal that many wait
 * for has one listener, since Node.js takes more than ten for a leak, and says so.
 */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
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
export async function withDeadline<T>(
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
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
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
