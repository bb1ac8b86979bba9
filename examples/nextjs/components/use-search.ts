'use client';

import { useEffect, useState } from 'react';
import { readLines } from '@/lib/ndjson';
import type { Hit, SearchEvent, Stage, Status } from '@/lib/types';
import type { PageStatus } from './use-status';

/** Between the last key and the search. */
const DEBOUNCE_MS = 180;

export interface RankedHit extends Hit {
  /** Places that the last stage moved it up, or, below zero, down; 0 too if it was not there before. */
  moved: number;
}

export interface Results {
  /** For which these are; what is typed may be ahead of it. */
  query: string;
  filter: string;
  hits: RankedHit[];
  /** What is done so far, with the time that each was there. */
  stages: { stage: Stage; ms: number }[];
  final: boolean;
}

interface Search {
  query: string;
  /** The language of the articles, or nothing. */
  filter: string;
  /** Whether the server can search: when it can again, the search is done again. */
  ready: boolean;
  /** Told when the server could not search after all. */
  onStatus: (status: PageStatus) => void;
}

function withMoves(hits: Hit[], before: readonly Hit[]): RankedHit[] {
  const places = new Map(before.map(({ article }, place) => [article, place]));
  return hits.map((hit, place) => ({ ...hit, moved: (places.get(hit.article) ?? place) - place }));
}

/**
 * Searches a moment after the query has changed last, and abandons a search whose query is not wanted any
 * more. The results of the last one stay until the first of the next arrive.
 */
export function useSearch({ query, filter, ready, onStatus }: Search): { results: Results | null; busy: boolean } {
  const [results, setResults] = useState<Results | null>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (query === '') setResults(null);
    if (query === '' || !ready) {
      setBusy(false);
      return;
    }
    const controller = new AbortController();
    const run = async () => {
      try {
        const parameters = new URLSearchParams({ q: query, ...(filter && { in: filter }) });
        const answer = await fetch(`/api/search?${parameters}`, { signal: controller.signal });
        if (!answer.ok || !answer.body) throw new Error(`${answer.status} ${await answer.text()}`);
        let current: Results = { query, filter, hits: [], stages: [], final: false };
        for await (const event of readLines<SearchEvent>(answer.body)) {
          if (controller.signal.aborted) return;
          if (event.type === 'status') {
            onStatus(event.status as Status);
            break;
          }
          const { stage, ms, final, hits } = event;
          current = {
            ...current,
            hits: current.stages.length > 0 ? withMoves(hits, current.hits) : withMoves(hits, hits),
            stages: [...current.stages, { stage, ms }],
            final,
          };
          setResults(current);
        }
      } catch (error) {
        if (controller.signal.aborted) return;
        console.error(error);
        onStatus({ state: 'lost' });
      }
      setBusy(false);
    };
    setBusy(true);
    const timer = setTimeout(run, DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
    // onStatus only sets state: that it is another function after each rendering means nothing.
  }, [query, filter, ready]);

  return { results, busy };
}
