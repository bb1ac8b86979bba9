import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { SearchEvent, Status } from '@/lib/types';
import { type Look, launchBrowser, newPage } from '../support/browser';
import { EXAMPLE } from '../support/paths';
import { type Running, freePort, startApp, startService } from '../support/processes';

type Ready = Extract<Status, { state: 'ready' }>;

/** The key that the application sends. */
export const KEY = 'the-key-of-the-application';

/**
 * One application, as a person runs it, with a browser before it. The service behind it comes and goes, always
 * at the same address.
 */
export class Scene {
  /** All that pages asked for. */
  readonly requests: string[] = [];
  /** Messages of pages' consoles that tell of a fault of the page. */
  readonly faults: string[] = [];
  app!: Running;
  browser!: Browser;
  #service: Running | undefined;
  #servicePort = 0;
  #appPort = 0;
  #directory = '';

  async open(): Promise<void> {
    this.#directory = mkdtempSync(path.join(tmpdir(), 'nextjs-'));
    cpSync(path.join(EXAMPLE, 'content'), path.join(this.#directory, 'content'), { recursive: true });
    [this.#servicePort, this.#appPort] = [await freePort(), await freePort()];
    [this.browser] = await Promise.all([launchBrowser(), this.startApp()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.browser?.close(), this.app?.stop(), this.#service?.stop()]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#appPort}`;
  }

  get serviceUrl(): string {
    return `http://127.0.0.1:${this.#servicePort}`;
  }

  async startApp(): Promise<void> {
    this.app = await startApp(this.#appPort, {
      EMBEDDING_SERVICE_URL: this.serviceUrl,
      EMBEDDING_SERVICE_API_KEY: KEY,
      CONTENT_DIR: path.join(this.#directory, 'content'),
      INDEX_DIR: path.join(this.#directory, 'index'),
    });
  }

  /** In place of the one that runs, if one does. */
  async serve(models: string[], key?: string, options?: string[]): Promise<void> {
    await this.stopService();
    this.#service = await startService(this.#servicePort, models, key, options);
  }

  async stopService(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
  }

  writeArticle(id: string, text: string): void {
    const file = path.join(this.#directory, 'content', `${id}.md`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  removeArticle(id: string): void {
    rmSync(path.join(this.#directory, 'content', `${id}.md`));
  }

  async page(look: Look = {}): Promise<Page> {
    const page = await newPage(this.browser, this.url, { requests: this.requests, ...look });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
    return page;
  }

  /** The lines that a search is answered with. */
  async search(query: string, parameters: Record<string, string> = {}): Promise<SearchEvent[]> {
    const answer = await fetch(`${this.url}/api/search?${new URLSearchParams({ q: query, ...parameters })}`);
    const lines = (await answer.text()).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as SearchEvent);
  }

  /** Asks for the status until it is ready and as wanted. */
  async status(wanted: (status: Ready) => boolean): Promise<Ready> {
    let last: Status | undefined;
    for (let look = 0; look < 2_000; look++) {
      const status = (await (await fetch(`${this.url}/api/status`)).json()) as Status;
      if (status.state === 'ready' && wanted(status)) return status;
      last = status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`it stays ${JSON.stringify(last)}`);
  }

  async ready(model: string): Promise<Ready> {
    return this.status(({ service }) => service.model === model);
  }
}

/** Goes to a page of the search, and waits until it reacts: it asks for the status then. */
export async function open(page: Page, address: string): Promise<void> {
  const reacts = page.waitForRequest(/\/api\/status/);
  await page.goto(address);
  await reacts;
}

/** The box of the search. */
export function box(page: Page) {
  return page.getByRole('searchbox');
}

/** The ids of the articles in the order shown, once the search for `query` is done. */
export async function shownArticles(page: Page): Promise<string[]> {
  await page.locator('.results[aria-busy=false]').waitFor();
  return page.locator('.results > li').evaluateAll((items) => items.map((item) => (item as HTMLElement).dataset.article ?? ''));
}

/** Types a query, and waits until its results are there. */
export async function searchFor(page: Page, query: string, first: string): Promise<void> {
  await box(page).fill(query);
  await page.locator(`.results > li:first-child[data-article="${first}"]`).waitFor();
}
