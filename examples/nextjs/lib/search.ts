import { type SparseVector, embeddingClient } from '@/lib/embedding-client';
import { firstOfEach, fuse } from './fusion';
import { highlight, wordsOf } from './highlight';
import { embeddedText } from './passages';
import type { ScoredPassage, Store, StoredPassage } from './store';
import type { Hit, Language, Scores, SearchEvent, Service, Stage } from './types';

/** Passages that each kind of vectors may propose. */
const CANDIDATES = 50;
/** Passages that are reranked: each costs a pass of the reranker. */
const RERANKED = 20;
/** A person waits: what does not answer now is told instead, and the page searches again when it may. */
const CALL = { maxRetries: 0, timeoutMs: 30_000 };

export interface SearchRequest {
  query: string;
  /** Null: articles in every language. */
  language: Language | null;
  /** Articles in the answer. */
  limit: number;
  signal: AbortSignal;
}

type Candidate = StoredPassage & { scores: Scores };
type Results = Extract<SearchEvent, { type: 'results' }>;

/** Results as soon as there are any, and then better ones: by meaning, with words, reranked. */
export async function* search(store: Store, service: Service, request: SearchRequest): AsyncGenerator<Results> {
  const started = performance.now();
  const words = wordsOf(request.query);
  const results = (stage: Stage, final: boolean, candidates: readonly Candidate[]): Results => ({
    type: 'results',
    stage,
    final,
    hits: hitsOf(candidates, words).slice(0, request.limit),
    ms: Math.round(performance.now() - started),
  });
  const { lexical, reranking } = service;

  const query = await embedQuery(service, request);
  const near = await store.nearest(query.dense, request.language, CANDIDATES);
  let candidates = merged(near, []);
  yield results('dense', !lexical && !reranking, candidates);

  if (lexical) {
    const matching = await store.matching(query.lexical, request.language, CANDIDATES);
    const byId = new Map(merged(near, matching).map((each) => [each.id, each]));
    candidates = fuse([near.map(({ id }) => id), matching.map(({ id }) => id)]).flatMap((id) => byId.get(id) ?? []);
    yield results('hybrid', !reranking, candidates);
  }

  if (reranking && candidates.length > 0) {
    const best = candidates.slice(0, RERANKED);
    const texts = best.map(({ title, body }) => embeddedText(title, body));
    const mode = reranking.by === 'colbert' ? 'colbert' : undefined;
    const ranked = await embeddingClient.rerank(request.query, texts, {
      ...CALL,
      mode,
      model: reranking.model,
      signal: request.signal,
    });
    const reranked = ranked.flatMap(({ index, score }) => {
      const candidate = best[index];
      return candidate ? [{ ...candidate, scores: { ...candidate.scores, rerank: score } }] : [];
    });
    yield results('reranked', true, [...reranked, ...candidates.slice(RERANKED)]);
  }
}

async function embedQuery(
  service: Service,
  { query, signal }: SearchRequest,
): Promise<{ dense: number[]; lexical: SparseVector }> {
  const options = { ...CALL, model: service.model, promptName: service.prompts ? 'query' : undefined, signal };
  const { dense, sparse } = service.lexical
    ? await embeddingClient.embedAll([query], { ...options, outputs: ['dense', 'sparse'] })
    : { dense: await embeddingClient.embed([query], options), sparse: [] };
  return { dense: dense[0] ?? [], lexical: sparse[0] ?? {} };
}

/** What either found, with the scores of both. */
function merged(near: readonly ScoredPassage[], matching: readonly ScoredPassage[]): Candidate[] {
  const lexical = new Map(matching.map(({ id, score }) => [id, score]));
  const seen = new Set(near.map(({ id }) => id));
  return [
    ...near.map(({ score, ...passage }) => ({
      ...passage,
      scores: { dense: score, lexical: lexical.get(passage.id) ?? null, rerank: null },
    })),
    ...matching
      .filter(({ id }) => !seen.has(id))
      .map(({ score, ...passage }) => ({ ...passage, scores: { dense: null, lexical: score, rerank: null } })),
  ];
}

function hitsOf(candidates: readonly Candidate[], words: readonly string[]): Hit[] {
  return firstOfEach(candidates, ({ article }) => article).map(
    ({ article, title, language, category, body, scores }) => ({
      article,
      title,
      language,
      category,
      passage: highlight(body, words),
      scores,
    }),
  );
}
