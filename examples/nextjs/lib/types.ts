/** What the server tells the page: the JSON of /api/status, and the lines of /api/search. */

/** In a query, at most. */
export const MOST_LETTERS = 500;

/** A language's code, which is the name of its folder in `content`. */
export type Language = string;

/** What the service can do, as far as this application uses it. */
export interface Service {
  /** Where it is. */
  url: string;
  /** The name of the embedding model. */
  model: string;
  dimension: number;
  /** Whether it gives lexical weights (bge-m3 does): search is hybrid then. */
  lexical: boolean;
  /** What puts the best hits in their final order: a cross-encoder, the embedding model's ColBERT vectors, or nothing. */
  reranking: { by: 'cross-encoder' | 'colbert'; model: string } | null;
  /** Whether the model was trained with a prefix for questions and another for what may answer. */
  prompts: boolean;
}

export type Status =
  | { state: 'opening' }
  | {
      state: 'unavailable';
      /**
       * unreachable: nobody answers; loading: it is starting; unauthorized: the key; busy: its queue is full, or
       * its rate limit reached; failed: anything else.
       */
      reason: 'unreachable' | 'loading' | 'unauthorized' | 'busy' | 'failed';
      url: string;
      /** What exactly went wrong, in the words of the service. */
      detail: string;
      /** Of `busy`: seconds until the service is asked again, which it named itself. */
      retryAfter?: number;
    }
  | { state: 'indexing'; service: Service; done: number; total: number }
  | { state: 'ready'; service: Service; articles: number; passages: number };

/** Which stage of a search put its hits in order. */
export type Stage = 'dense' | 'hybrid' | 'reranked';

/** A piece of a passage's text; `marked` if the query has that word, in whatever form. */
export interface Piece {
  text: string;
  marked: boolean;
}

export interface Scores {
  /** The cosine of the query's vector to the passage's; null where only words matched. */
  dense: number | null;
  /** The sum of products of the weights of common tokens; null where there is none, or no such weights. */
  lexical: number | null;
  /** The reranker's; null where it did not look. */
  rerank: number | null;
}

/** An article, by the passage of it that fits best. */
export interface Hit {
  article: string;
  title: string;
  language: Language;
  category: string;
  passage: Piece[];
  scores: Scores;
}

/** A line of the answer of /api/search. Results of a later stage replace those of the one before. */
export type SearchEvent =
  | { type: 'results'; stage: Stage; final: boolean; hits: Hit[]; /** Since the search began. */ ms: number }
  | { type: 'status'; status: Status };
