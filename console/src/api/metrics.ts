/** Prometheus's text format, as far as this server writes it, and what the page shows of it. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Of the thousand lines that there are, those that `countersOf` reads. */
const wanted = /^(?:embedding_(?:texts_total|cache_)|te_queue_size|te_request_duration_bucket)/;

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (!wanted.test(line)) continue;
    const parts = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!parts) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (parts[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name!] = value!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    }
    samples.push({ name: parts[1]!, labels, value: Number(parts[3]) });
  }
  return samples;
}

/** One look at the counters. */
export interface Counters {
  /** Seconds, of any clock that goes evenly. */
  readonly at: number;
  readonly texts: number;
  readonly queue: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  /** Answered requests of the models by their duration: how many took at most so many seconds. */
  readonly durations: ReadonlyMap<number, number>;
}

// What people and probes ask, this page among them; the rest asks a model.
const asides = /^(?:|\/|\/health|\/readyz|\/ping|\/livez|\/metrics|\/docs|\/openapi\.json|\/info|\/v1\/models.*|\/models|\/api\/(?:tags|ps|version|show))$/;

export function countersOf(samples: readonly Sample[], at: number): Counters {
  const sum = (name: string) =>
    samples.reduce((total, sample) => (sample.name === name ? total + sample.value : total), 0);
  const durations = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    if (name !== 'te_request_duration_bucket' || asides.test(labels['path'] ?? '')) continue;
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    durations.set(bound, (durations.get(bound) ?? 0) + value);
  }
  return {
    at,
    texts: sum('embedding_texts_total'),
    queue: sum('te_queue_size'),
    cacheHits: sum('embedding_cache_hits'),
    cacheMisses: sum('embedding_cache_misses'),
    cacheEntries: sum('embedding_cache_entries'),
    cacheBytes: sum('embedding_cache_bytes'),
    durations,
  };
}

/** Texts a second from each look to the next; a server that began anew begins at 0 again. */
export function ratesOf(history: readonly Counters[]): number[] {
  const rates: number[] = [];
  for (let i = 1; i < history.length; i += 1) {
    const before = history[i - 1]!;
    const now = history[i]!;
    const texts = now.texts >= before.texts ? now.texts - before.texts : now.texts;
    rates.push(texts / Math.max(now.at - before.at, 0.001));
  }
  return rates;
}

/** Seconds within which that share of the requests between two looks was answered. */
export function quantile(before: Counters, now: Counters, share: number): number | undefined {
  const bounds = [...now.durations.keys()].sort((a, b) => a - b);
  const counts = bounds.map((bound) => (now.durations.get(bound) ?? 0) - (before.durations.get(bound) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return undefined;
  const wanted = share * total;
  const at = counts.findIndex((count) => count >= wanted);
  const upper = bounds[at]!;
  const lower = at > 0 ? bounds[at - 1]! : 0;
  if (!Number.isFinite(upper)) return lower;
  const below = at > 0 ? counts[at - 1]! : 0;
  return lower + ((upper - lower) * (wanted - below)) / Math.max(counts[at]! - below, 1);
}
