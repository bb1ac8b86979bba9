import path from 'node:path';
import { embeddingClient } from '@/lib/embedding-client';
import { type Article, readArticles } from './articles';
import { embeddedText, passagesOf, type Passage } from './passages';
import { type DescribedService, Unavailable, describeService, serviceUrl, toUnavailable } from './service';
import { type NewPassage, Store } from './store';
import type { Service, Status } from './types';

/** Passages embedded at a time: few, so that progress shows, and a fraction of a second each on a CPU. */
const BATCH = 8;
/** Between two looks at the service and the articles while nobody asks. */
const READY_INTERVAL_MS = 5_000;
const WAITING_INTERVAL_MS = 1_000;

/** A folder of its own, which may be deleted whatever else is kept where INDEX_DIR leads. */
function indexDirectory(): string {
  return path.resolve(/* turbopackIgnore: true */ process.env.INDEX_DIR || '.data/index', 'pglite');
}

/**
 * Keeps the index in line with the articles and with the service's model: what is new or changed is embedded,
 * what is gone is removed, and another model means everything anew. What is interrupted goes on where it was.
 */
class SearchIndex {
  #status: Status = { state: 'opening' };
  #store: Promise<Store> | undefined;
  #look: Promise<Status> | undefined;
  #building = false;
  #keeping = false;
  /** What the index was found in line with, or brought to: looks that find the same compare nothing. */
  #indexed: { articles: readonly Article[]; identity: string; passages: number } | undefined;
  /** By `performance.now()`: when a service that is busy may be asked again. */
  #busyUntil = 0;

  get status(): Status {
    if (this.#status.state !== 'unavailable' || this.#status.reason !== 'busy') return this.#status;
    return { ...this.#status, retryAfter: Math.max(1, Math.ceil((this.#busyUntil - performance.now()) / 1_000)) };
  }

  /** Looks at service and articles again and again, as long as the process lives. */
  keepCurrent(): void {
    if (this.#keeping) return;
    this.#keeping = true;
    const look = async () => {
      await this.check();
      setTimeout(look, this.#status.state === 'ready' ? READY_INTERVAL_MS : WAITING_INTERVAL_MS).unref();
    };
    void look();
  }

  /** Looks at the service and the articles now. What has to be embedded is begun, not waited for. */
  async check(): Promise<Status> {
    if (this.#building || performance.now() < this.#busyUntil) return this.status;
    this.#look ??= this.#lookOnce().finally(() => (this.#look = undefined));
    return this.#look;
  }

  /** For searches; only while ready. */
  async store(): Promise<Store> {
    this.#store ??= Store.open(indexDirectory());
    this.#store.catch(() => (this.#store = undefined));
    return this.#store;
  }

  /** What a search found out about the service. */
  report(error: unknown): Status {
    return this.#fail(error);
  }

  #fail(error: unknown): Status {
    const { status, retryAfterMs } = unavailable(error);
    this.#busyUntil = status.reason === 'busy' ? performance.now() + retryAfterMs : 0;
    this.#set(status);
    return this.status;
  }

  #set(status: Status): Status {
    const line = logLine(status);
    if (line !== logLine(this.#status)) console.log(`[index] ${line}`);
    return (this.#status = status);
  }

  async #lookOnce(): Promise<Status> {
    try {
      const [described, articles, store] = await Promise.all([describeService(), readArticles(), this.store()]);
      const { service, identity } = described;
      const ready = (passages: number): Status => {
        this.#indexed = { articles, identity, passages };
        return this.#set({ state: 'ready', service, articles: articles.length, passages });
      };
      // `readArticles` gives the same list as long as no file has changed.
      if (this.#indexed?.articles === articles && this.#indexed.identity === identity) return ready(this.#indexed.passages);
      const passages = articles.flatMap(passagesOf);
      const sameModel = (await store.identity()) === identity;
      const stored = sameModel ? await store.hashes() : new Map<string, string>();
      const missing = passages.filter(({ id, hash }) => stored.get(id) !== hash);
      const hashes = new Map(passages.map(({ id, hash }) => [id, hash]));
      const stale = [...stored].filter(([id, hash]) => hashes.get(id) !== hash).map(([id]) => id);
      if (sameModel && missing.length === 0 && stale.length === 0) return ready(passages.length);
      this.#building = true;
      this.#indexed = undefined;
      void this.#build(store, described, { missing, stale, sameModel })
        .then(() => ready(passages.length))
        .catch((error: unknown) => this.#fail(error))
        .finally(() => (this.#building = false));
      return this.#status;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #build(
    store: Store,
    { service, identity }: DescribedService,
    { missing, stale, sameModel }: { missing: Passage[]; stale: string[]; sameModel: boolean },
  ): Promise<void> {
    const total = missing.length;
    this.#set({ state: 'indexing', service, done: 0, total });
    if (!sameModel) await store.reset(identity, service.dimension);
    await store.remove(stale);
    for (let done = 0; done < total; done += BATCH) {
      await store.add(await embedPassages(service, missing.slice(done, done + BATCH)));
      this.#set({ state: 'indexing', service, done: Math.min(done + BATCH, total), total });
    }
  }
}

async function embedPassages(service: Service, passages: Passage[]): Promise<NewPassage[]> {
  const texts = passages.map(({ article, body }) => embeddedText(article.title, body));
  const options = { model: service.model, promptName: service.prompts ? 'passage' : undefined };
  const { dense, sparse } = service.lexical
    ? await embeddingClient.embedAll(texts, { ...options, outputs: ['dense', 'sparse'] })
    : { dense: await embeddingClient.embed(texts, options), sparse: undefined };
  return passages.map(({ id, article, body, hash }, i) => {
    const vector = dense[i] ?? [];
    // The service was started anew with another model while this one was indexed.
    if (vector.length !== service.dimension) {
      throw new Unavailable('loading', `${service.model} gave ${vector.length} dimensions instead of ${service.dimension}`);
    }
    const { title, language, category } = article;
    return { id, article: article.id, title, language, category, body, hash, dense: vector, lexical: sparse?.[i] ?? null };
  });
}

type UnavailableStatus = Extract<Status, { state: 'unavailable' }>;

function unavailable(error: unknown): { status: UnavailableStatus; retryAfterMs: number } {
  const url = serviceUrl();
  try {
    const { reason, message, retryAfterMs } = toUnavailable(error);
    return { status: { state: 'unavailable', reason, url, detail: message }, retryAfterMs };
  } catch {
    console.error('[index]', error);
    const detail = error instanceof Error ? error.message : String(error);
    return { status: { state: 'unavailable', reason: 'failed', url, detail }, retryAfterMs: 0 };
  }
}

/** Equal for what need not be said twice. */
function logLine(status: Status): string {
  switch (status.state) {
    case 'opening':
      return 'Opening';
    case 'unavailable':
      return `No search: the service at ${status.url} is ${status.reason}: ${status.detail}`;
    case 'indexing':
      return `Indexing with ${status.service.model}: ${status.done} of ${status.total} passages`;
    case 'ready':
      return `Ready: ${status.articles} articles in ${status.passages} passages, ${status.service.model} (${status.service.dimension} dimensions)`;
  }
}

const shared = globalThis as typeof globalThis & { searchIndex?: SearchIndex };

/** The one index of this process. Next.js loads modules more than once: for instrumentation, routes, reloads. */
export function searchIndex(): SearchIndex {
  return (shared.searchIndex ??= new SearchIndex());
}
