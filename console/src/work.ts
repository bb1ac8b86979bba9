import type { Client } from './api/client';
import type { Embedded, Info, Model, Sent, Token } from './api/types';
import { colbertScore, cosine, lexicalScore, pairs } from './math/vectors';
import { useTask, type Task } from './task';

/** Vectors of some texts, and how similar each pair is. */
export interface Comparison {
  readonly texts: readonly string[];
  readonly model: Model;
  readonly embedded: Embedded;
  readonly table: readonly (readonly number[])[];
  readonly ms: number;
}

export interface ComparisonTask extends Omit<Task<Comparison>, 'run'> {
  run(texts: readonly string[], model: Model): void;
}

const DEFAULT_MOST = 100;

export function useComparison(client: Client, info: Info | undefined): ComparisonTask {
  const task = useTask<Comparison>();
  return {
    ...task,
    run(texts, model) {
      task.run(async (signal) => {
        const begin = performance.now();
        const options = { model, dense: model.hasDense, sparse: !model.hasDense };
        const embedded = await client.embed(texts, options, info?.maxTexts ?? DEFAULT_MOST, signal);
        const ms = performance.now() - begin;
        const table = model.hasDense ? pairs(embedded.dense, cosine) : pairs(embedded.lexical, lexicalScore);
        return { texts, model, embedded, table, ms };
      });
    },
  };
}

export const scoreKinds = ['dense', 'sparse', 'colbert', 'rerank'] as const;
export type ScoreKind = (typeof scoreKinds)[number];

export interface Hit {
  readonly index: number;
  readonly text: string;
  readonly scores: Readonly<Partial<Record<ScoreKind, number>>>;
}

export interface Found {
  readonly query: string;
  readonly texts: readonly string[];
  readonly model: Model | undefined;
  readonly reranker: Model | undefined;
  /** The scores there are, in the order of the columns. */
  readonly kinds: readonly ScoreKind[];
  readonly hits: readonly Hit[];
  readonly queryEmbedded: Embedded | undefined;
  readonly textsEmbedded: Embedded | undefined;
  /** Where weights or vectors belong to tokens: those of the query and of each text. */
  readonly queryTokens: readonly Token[] | undefined;
  readonly textTokens: readonly (readonly Token[])[] | undefined;
  readonly sent: readonly Sent[];
  readonly ms: number;
}

export interface SearchRequest {
  readonly query: string;
  readonly texts: readonly string[];
  readonly model: Model | undefined;
  readonly queryPrompt: string | undefined;
  readonly textPrompt: string | undefined;
  readonly reranker: Model | undefined;
}

export interface SearchTask extends Omit<Task<Found>, 'run'> {
  run(request: SearchRequest): void;
}

/** Token vectors are large: this many texts are asked for at a time. */
const MOST_COLBERT = 10;

export function useSearch(client: Client, info: Info | undefined): SearchTask {
  const task = useTask<Found>();
  return {
    ...task,
    run(request) {
      task.run((signal) => find(client, info, request, signal));
    },
  };
}

async function find(client: Client, info: Info | undefined, request: SearchRequest, signal: AbortSignal): Promise<Found> {
  const { query, texts, model, queryPrompt, textPrompt, reranker } = request;
  const begin = performance.now();
  const sent: Sent[] = [];
  let of: { query: Embedded; texts: Embedded } | undefined;
  let tokens: { query: readonly Token[]; texts: readonly (readonly Token[])[] } | undefined;
  if (model !== undefined) {
    const options = { model, dense: model.hasDense, sparse: model.hasSparse, colbert: model.hasColbert };
    const most = Math.min(info?.maxTexts ?? DEFAULT_MOST, model.hasColbert ? MOST_COLBERT : Infinity);
    const [asked, lines] = await Promise.all([
      client.embed([query], { ...options, prompt: queryPrompt }, most, signal),
      client.embed(texts, { ...options, prompt: textPrompt }, most, signal),
    ]);
    of = { query: asked, texts: lines };
    sent.push(...asked.sent, ...lines.sent);
    if (model.hasSparse || model.hasColbert) {
      const [one, all] = await Promise.all([
        client.tokenize([query], model, queryPrompt, 1, signal),
        client.tokenize(texts, model, textPrompt, info?.maxInputs ?? DEFAULT_MOST, signal),
      ]);
      sent.push(...one.sent, ...all.sent);
      tokens = { query: one.tokens[0] ?? [], texts: all.tokens };
    }
  }
  let reranked: readonly number[] | undefined;
  if (reranker !== undefined) {
    const answer = await client.rerank(query, texts, reranker, info?.maxDocuments ?? DEFAULT_MOST, signal);
    reranked = answer.scores;
    sent.push(...answer.sent);
  }
  const kinds = scoreKinds.filter((kind) => {
    if (kind === 'rerank') return reranked !== undefined;
    return model !== undefined && { dense: model.hasDense, sparse: model.hasSparse, colbert: model.hasColbert }[kind];
  });
  const hits = texts.map((text, index) => {
    const scores: Partial<Record<ScoreKind, number>> = {};
    if (of !== undefined && model !== undefined) {
      if (model.hasDense) scores.dense = cosine(of.query.dense[0]!, of.texts.dense[index]!);
      if (model.hasSparse) scores.sparse = lexicalScore(of.query.lexical[0]!, of.texts.lexical[index]!);
      if (model.hasColbert) scores.colbert = colbertScore(of.query.colbert[0]!, of.texts.colbert[index]!);
    }
    if (reranked !== undefined) scores.rerank = reranked[index]!;
    return { index, text, scores };
  });
  return {
    query,
    texts,
    model,
    reranker,
    kinds,
    hits,
    queryEmbedded: of?.query,
    textsEmbedded: of?.texts,
    queryTokens: tokens?.query,
    textTokens: tokens?.texts,
    sent,
    ms: performance.now() - begin,
  };
}

export interface Tokenized {
  readonly texts: readonly string[];
  readonly model: Model;
  readonly tokens: readonly (readonly Token[])[];
  readonly sent: readonly Sent[];
}

export interface TokensTask extends Omit<Task<Tokenized>, 'run'> {
  run(texts: readonly string[], model: Model): void;
}

export function useTokens(client: Client, info: Info | undefined): TokensTask {
  const task = useTask<Tokenized>();
  return {
    ...task,
    run(texts, model) {
      task.run(async (signal) => {
        const { tokens, sent } = await client.tokenize(texts, model, undefined, info?.maxInputs ?? DEFAULT_MOST, signal);
        return { texts, model, tokens, sent };
      });
    },
  };
}
