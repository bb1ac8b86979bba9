import { errorOf, ServiceError } from './errors';
import type { Embedded, Health, Info, Lexical, Model, ModelKind, Sent, Token } from './types';

export interface EmbedOptions {
  readonly model: Model;
  readonly prompt?: string | undefined;
  readonly dense?: boolean;
  readonly sparse?: boolean;
  readonly colbert?: boolean;
}

/** Asks the server that the page comes from. Every method throws ServiceError. */
export interface Client {
  /** Where the server is, without a slash at the end. */
  readonly base: string;
  readonly hasKey: boolean;
  // Looks that a server answers at once; `signal` ends them.
  health(signal?: AbortSignal): Promise<Health>;
  info(signal?: AbortSignal): Promise<Info>;
  /** In Prometheus's format; undefined where the server keeps it to others. */
  metrics(signal?: AbortSignal): Promise<string | undefined>;
  // Texts beyond `most` are asked for in several requests, one after another; `sent` is all of them.
  embed(texts: readonly string[], options: EmbedOptions, most: number, signal?: AbortSignal): Promise<Embedded>;
  tokenize(texts: readonly string[], model: Model, prompt: string | undefined, most: number, signal?: AbortSignal): Promise<{ tokens: readonly (readonly Token[])[]; sent: readonly Sent[] }>;
  /** Scores in the order of the texts. */
  rerank(query: string, texts: readonly string[], model: Model, most: number, signal?: AbortSignal): Promise<{ scores: readonly number[]; sent: readonly Sent[] }>;
}

interface RawModel {
  readonly id: string;
  readonly model_type: Partial<Record<ModelKind, { readonly pooling?: string }>>;
  readonly dimension: number;
  readonly sparse: boolean;
  readonly colbert: boolean;
  readonly max_input_length: number;
  readonly device: string;
  readonly dtype: string;
  readonly parameters: number;
  readonly prompts: readonly string[];
}

function modelOf(raw: RawModel): Model {
  const kind: ModelKind = raw.model_type.embedding ? 'embedding' : raw.model_type.reranker ? 'reranker' : 'classifier';
  const isSplade = raw.model_type.embedding?.pooling === 'splade';
  return {
    id: raw.id,
    kind,
    dimension: raw.dimension,
    hasDense: kind === 'embedding' && !isSplade,
    hasSparse: raw.sparse,
    hasColbert: raw.colbert,
    maxTokens: raw.max_input_length,
    device: raw.device,
    dtype: raw.dtype,
    parameters: raw.parameters,
    prompts: raw.prompts,
  };
}

/** The texts in runs of at most `most`. */
function runsOf(texts: readonly string[], most: number): (readonly string[])[] {
  if (texts.length === 0) throw new Error('no texts to ask about');
  return Array.from({ length: Math.ceil(texts.length / most) }, (_, i) => texts.slice(i * most, (i + 1) * most));
}

/** `base` is the server's address with a slash at its end, for one may stand under a path. */
export function connect(base: string, key: string | undefined): Client {
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    // What no header can carry is no server's key: one typed in another keyboard's layout, say.
    if (key !== undefined && !/^[\x20-\x7e]+$/.test(key)) throw new ServiceError('key', 'not printable ASCII');
    if (key !== undefined) headers.set('X-API-Key', key);
    try {
      return await fetch(new URL(path, base), { ...init, headers, cache: 'no-store', credentials: 'same-origin' });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ServiceError('unreachable', String(error));
    }
  }

  async function read<T>(response: Response): Promise<T> {
    if (!response.ok) throw await errorOf(response);
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw new ServiceError('broken', String(error));
    }
  }

  async function post<T>(sent: Sent, signal?: AbortSignal): Promise<{ answer: T; response: Response }> {
    const response = await ask(sent.path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(sent.body),
      ...(signal && { signal }),
    });
    return { answer: await read<T>(response), response };
  }

  return {
    base: base.replace(/\/$/, ''),
    hasKey: key !== undefined,

    async health(signal) {
      const response = await ask('health', signal && { signal });
      // 503 says in the same form that the model is loading or has failed.
      if (!response.ok && response.status !== 503) throw await errorOf(response);
      const health = (await response.json().catch(() => undefined)) as Partial<Health> | undefined;
      if (health?.status === undefined) throw new ServiceError('unreachable', `${response.status} from /health`);
      return health as Health;
    },

    async info(signal) {
      const raw = await read<{
        version: string;
        models: readonly RawModel[];
        max_client_batch_sizes: { texts: number; inputs: number; documents: number };
        max_queue: number;
        cache_bytes: number;
        cache_redis: boolean;
      }>(await ask('info', signal && { signal }));
      const { texts, inputs, documents } = raw.max_client_batch_sizes;
      return {
        version: raw.version,
        models: raw.models.map(modelOf),
        maxTexts: Math.min(texts, raw.max_queue),
        maxInputs: inputs,
        maxDocuments: Math.min(documents, raw.max_queue),
        maxQueue: raw.max_queue,
        cacheBytes: raw.cache_bytes,
        hasRedis: raw.cache_redis,
      };
    },

    async metrics(signal) {
      const response = await ask('metrics', signal && { signal });
      if (response.status === 401 || response.status === 404) return undefined;
      if (!response.ok) throw await errorOf(response);
      return response.text();
    },

    async embed(texts, { model, prompt, dense = true, sparse = false, colbert = false }, most, signal) {
      const all = { dense: [] as Float32Array[], lexical: [] as Lexical[], colbert: [] as Float32Array[][] };
      let cut = 0;
      let cached = 0;
      const requests = runsOf(texts, most).map(
        (run): Sent => ({
          path: 'embed',
          body: {
            texts: run,
            model: model.id,
            ...(prompt !== undefined && { prompt_name: prompt }),
            ...(!dense && { return_dense: false }),
            ...(sparse && { return_sparse: true }),
            ...(colbert && { return_colbert_vecs: true }),
          },
        }),
      );
      for (const sent of requests) {
        const { answer, response } = await post<{
          embeddings?: number[][];
          lexical_weights?: Lexical[];
          colbert_vecs?: number[][][];
        }>(sent, signal);
        all.dense.push(...(answer.embeddings ?? []).map((vector) => Float32Array.from(vector)));
        all.lexical.push(...(answer.lexical_weights ?? []));
        all.colbert.push(...(answer.colbert_vecs ?? []).map((rows) => rows.map((row) => Float32Array.from(row))));
        cut += Number(response.headers.get('x-truncated') ?? 0);
        cached += Number(response.headers.get('x-cache')?.split('/')[0] ?? 0);
      }
      return { ...all, cut, cached, sent: requests };
    },

    async tokenize(texts, model, prompt, most, signal) {
      const requests = runsOf(texts, most).map(
        (run): Sent => ({
          path: 'tokenize',
          body: { inputs: run, model: model.id, ...(prompt !== undefined && { prompt_name: prompt }) },
        }),
      );
      const tokens: Token[][] = [];
      for (const sent of requests) tokens.push(...(await post<Token[][]>(sent, signal)).answer);
      return { tokens, sent: requests };
    },

    async rerank(query, texts, model, most, signal) {
      const requests = runsOf(texts, most).map(
        (run): Sent => ({ path: 'v1/rerank', body: { model: model.id, query, documents: run } }),
      );
      const scores = new Array<number>(texts.length).fill(0);
      for (const [i, sent] of requests.entries()) {
        const { answer } = await post<{ results: { index: number; relevance_score: number }[] }>(sent, signal);
        for (const { index, relevance_score } of answer.results) scores[i * most + index] = relevance_score;
      }
      return { scores, sent: requests };
    },
  };
}
