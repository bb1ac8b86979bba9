import { EmbeddingServiceError, embeddingClient } from '@/lib/embedding-client';
import type { Service, Status } from './types';

/** Why there is no search at the moment. */
export class Unavailable extends Error {
  constructor(
    readonly reason: Extract<Status, { state: 'unavailable' }>['reason'],
    detail: string,
    /** Of `busy`: how long the service asks to wait. */
    readonly retryAfterMs = 1_000,
  ) {
    super(detail);
  }
}

/** The service, and what tells its model from any other: vectors of different ones may not be mixed. */
export interface DescribedService {
  service: Service;
  identity: string;
}

/** The part of `GET /info` that is used here. */
interface Info {
  models: {
    id: string;
    dimension: number;
    sparse: boolean;
    colbert: boolean;
    model_type: { embedding?: { pooling: string }; reranker?: object };
  }[];
  model_sha: string | null;
}

const LOOK_TIMEOUT_MS = 5_000;

/** What an error means for the page. What is not an error of the service is passed on. */
export function toUnavailable(error: unknown): Unavailable {
  if (error instanceof Unavailable) return error;
  if (!(error instanceof EmbeddingServiceError)) throw error;
  if (error.status === 401) return new Unavailable('unauthorized', error.message);
  if (error.status === 429) return new Unavailable('busy', error.message, error.retryAfterMs);
  if (error.type === 'Connection' || error.type === 'Timeout') return new Unavailable('unreachable', error.message);
  return new Unavailable(error.type === 'Unhealthy' ? 'loading' : 'failed', error.message);
}

/** Where the service is, for the page, even if the variable holds something else: but not a password in it. */
export function serviceUrl(): string {
  try {
    return embeddingClient.baseUrl;
  } catch {
    return (process.env.EMBEDDING_SERVICE_URL ?? '').replace(/\/\/.*@/, '//');
  }
}

async function readInfo(): Promise<{ text: string; info: Info }> {
  const apiKey = process.env.EMBEDDING_SERVICE_API_KEY;
  const url = `${embeddingClient.baseUrl}/info`;
  const response = await fetch(url, {
    headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
    signal: AbortSignal.timeout(LOOK_TIMEOUT_MS),
    cache: 'no-store',
  }).catch((error: unknown) => {
    // fetch says only that it failed; its cause says why.
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new Unavailable('unreachable', `${url}: ${String(cause)}`);
  });
  const text = await response.text();
  if (response.status === 401) throw new Unavailable('unauthorized', `${url}: 401 ${text}`);
  if (response.status === 503) throw new Unavailable('loading', `${url}: 503 ${text}`);
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after')) || 1;
    throw new Unavailable('busy', `${url}: 429 ${text}`, seconds * 1_000);
  }
  try {
    const info = JSON.parse(text) as Partial<Info>;
    if (response.ok && Array.isArray(info.models)) return { text, info: info as Info };
  } catch {
    // Said below.
  }
  throw new Unavailable('failed', `${url}: ${response.status}, not the answer of an embedding-service: ${text.slice(0, 200)}`);
}

/** Whether the model was saved with the prompts `query` and `passage`: the service refuses names it has not. */
async function hasPrompts(model: string): Promise<boolean> {
  try {
    for (const promptName of ['query', 'passage']) {
      await embeddingClient.embed(['a'], { model, promptName, maxRetries: 0 });
    }
    return true;
  } catch (error) {
    if (error instanceof EmbeddingServiceError && error.status === 422) return false;
    throw error;
  }
}

function rerankingOf({ models }: Info, model: Info['models'][number]): Service['reranking'] {
  const crossEncoder = models.find((each) => each.model_type.reranker);
  if (crossEncoder) return { by: 'cross-encoder', model: crossEncoder.id };
  return model.colbert ? { by: 'colbert', model: model.id } : null;
}

let described: { info: string; result: DescribedService } | undefined;

/** Asks the service what it has. Throws {@link Unavailable}. */
export async function describeService(): Promise<DescribedService> {
  try {
    const [health, { text, info }] = await Promise.all([
      embeddingClient.health({ timeoutMs: LOOK_TIMEOUT_MS }),
      readInfo(),
    ]);
    if (health.status === 'loading') throw new Unavailable('loading', JSON.stringify(health));
    if (health.status === 'unhealthy') throw new Unavailable('failed', health.error);
    if (described?.info === text) return described.result;
    const model = info.models.find((each) => each.model_type.embedding);
    if (!model) throw new Unavailable('failed', 'the service runs no embedding model; start it with one: --model BAAI/bge-m3');
    const service: Service = {
      url: embeddingClient.baseUrl,
      model: model.id,
      dimension: model.dimension,
      lexical: model.sparse,
      reranking: rerankingOf(info, model),
      prompts: await hasPrompts(model.id),
    };
    const { lexical, prompts } = service;
    const identity = JSON.stringify({ ...model, revision: info.model_sha, lexical, prompts });
    described = { info: text, result: { service, identity } };
    return described.result;
  } catch (error) {
    throw toUnavailable(error);
  }
}
