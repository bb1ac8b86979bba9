import { useEffect, useRef, useState } from 'preact/hooks';
import { ServiceError } from './api/errors';

/** Something that is asked for at a person's wish, once at a time; the last wish counts. */
export interface Task<T> {
  readonly value: T | undefined;
  readonly error: ServiceError | undefined;
  readonly busy: boolean;
  run(work: (signal: AbortSignal) => Promise<T>): void;
}

export function useTask<T>(): Task<T> {
  const [outcome, setOutcome] = useState<{ value?: T; error?: ServiceError }>({});
  const [busy, setBusy] = useState(false);
  const current = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  return {
    value: outcome.value,
    error: outcome.error,
    busy,
    run(work) {
      current.current?.abort();
      const mine = new AbortController();
      current.current = mine;
      setBusy(true);
      work(mine.signal)
        .then(
          (value) => ({ value }),
          (error: unknown) => ({
            error: error instanceof ServiceError ? error : new ServiceError('broken', String(error)),
          }),
        )
        .then((next) => {
          if (mine.signal.aborted) return;
          setOutcome((before) => ('error' in next && before.value !== undefined ? { ...before, ...next } : next));
          setBusy(false);
        });
    },
  };
}
