import { useEffect, useRef, useState } from 'preact/hooks';
import { countersOf, parseMetrics, type Counters } from './api/metrics';
import type { Client } from './api/client';
import { ServiceError } from './api/errors';
import type { Health, Info } from './api/types';

export type ServerState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'key' }
  | { readonly kind: 'loading'; readonly health: Extract<Health, { status: 'loading' }> }
  | { readonly kind: 'unhealthy'; readonly health: Extract<Health, { status: 'unhealthy' }> }
  | { readonly kind: 'ready' };

export interface Watched {
  readonly state: ServerState;
  /** What the server last said of itself; it stays while the server is away. */
  readonly info: Info | undefined;
  /** Looks at the counters, the oldest first; undefined where /metrics is closed. */
  readonly history: readonly Counters[] | undefined;
}

const PERIOD_MS = 2000;
/** Two minutes of looks. */
const MOST_LOOKS = 61;
const MOST_WAIT_MS = 10_000;
/** Of a look, which asks nothing that has to be computed. What was accepted and stays without an answer is none. */
const LOOK_MS = 8_000;

/** Looks at the server every two seconds while the page is seen, more rarely while nobody answers. */
export function useServer(client: Client): Watched {
  const [seen, setSeen] = useState<{ client: Client; state: ServerState }>();
  const [info, setInfo] = useState<Info>();
  const [history, setHistory] = useState<readonly Counters[] | undefined>([]);
  const ready = useRef(false);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    let failures = 0;
    let inHand = false;
    ready.current = false;

    const setState = (state: ServerState) => setSeen({ client, state });

    async function look(signal: AbortSignal): Promise<void> {
      const health = await client.health(signal);
      if (over) return;
      if (health.status !== 'healthy') {
        ready.current = false;
        setState(health.status === 'loading' ? { kind: 'loading', health } : { kind: 'unhealthy', health });
        return;
      }
      if (!ready.current) {
        // Whoever answers after a pause may be another server, with other models.
        const told = await client.info(signal);
        if (over) return;
        setInfo(told);
        setHistory([]);
        ready.current = true;
      }
      setState({ kind: 'ready' });
      const text = await client.metrics(signal);
      if (over) return;
      if (text === undefined) return setHistory(undefined);
      const counters = countersOf(parseMetrics(text), performance.now() / 1000);
      setHistory((before = []) => [...before, counters].slice(-MOST_LOOKS));
    }

    async function round(): Promise<void> {
      if (inHand) return; // hidden and seen again in between: that one goes on
      inHand = true;
      let wait = PERIOD_MS;
      const late = new AbortController();
      const limit = setTimeout(() => late.abort(), LOOK_MS);
      try {
        await look(late.signal);
        failures = 0;
      } catch (error) {
        clearTimeout(limit);
        inHand = false;
        if (over) return;
        const failure = error instanceof ServiceError ? error.failure : 'unreachable';
        if (failure === 'key') {
          ready.current = false;
          setState({ kind: 'key' });
          return; // until there is another key
        }
        if (failure === 'limited') {
          wait = Math.max(wait, (error as ServiceError).retryAfter * 1000);
        } else {
          ready.current = false;
          setState({ kind: 'gone' });
          wait = Math.min(MOST_WAIT_MS, 1000 * 2 ** failures);
          failures += 1;
        }
      }
      clearTimeout(limit);
      inHand = false;
      if (!over && !document.hidden) timer = setTimeout(() => void round(), wait);
      else timer = undefined;
    }

    function onVisibility() {
      clearTimeout(timer);
      timer = undefined;
      if (!document.hidden) void round();
    }

    document.addEventListener('visibilitychange', onVisibility);
    void round();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibility);
    };
  }, [client]);

  // What another client saw, with another key, says nothing of this one.
  const state: ServerState = seen?.client === client ? seen.state : { kind: 'connecting' };
  return { state, info, history };
}
