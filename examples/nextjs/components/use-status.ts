'use client';

import { useEffect, useState } from 'react';
import type { Status } from '@/lib/types';

/** What the server tells, or that it does not answer itself. */
export type PageStatus = Status | { state: 'lost' };

function intervalMs(status: PageStatus): number {
  if (status.state === 'indexing') return 250;
  return status.state === 'ready' ? 5_000 : 1_000;
}

function same(a: PageStatus, b: PageStatus): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Follows the server's status as long as the page is seen. `set` is for what is learnt in another way. */
export function useStatus(initial: PageStatus): [PageStatus, (status: PageStatus) => void] {
  const [status, setStatus] = useState(initial);
  // An object that is equal to the last one is no change.
  const set = (next: PageStatus) => setStatus((last) => (same(last, next) ? last : next));

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const controller = new AbortController();
    const look = async () => {
      clearTimeout(timer);
      if (document.hidden) return;
      let next: PageStatus = { state: 'lost' };
      try {
        const answer = await fetch('/api/status', { cache: 'no-store', signal: controller.signal });
        if (answer.ok) next = (await answer.json()) as Status;
      } catch {
        // Lost, unless this is over.
      }
      if (controller.signal.aborted) return;
      set(next);
      clearTimeout(timer);
      timer = setTimeout(look, intervalMs(next));
    };
    void look();
    document.addEventListener('visibilitychange', look);
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);

  return [status, set];
}
