import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import type { Hit, SearchEvent } from '@/lib/types';
import { PHONE, accessibilityFaults, screenshot } from '../support/browser';
import { MODELS } from '../support/paths';
import { Scene, box, open, searchFor, shownArticles } from './scene';

// In the order of a day, as app.test.ts: one application, and one model after the other behind it.
const scene = new Scene();
let page: Page;

beforeAll(async () => {
  await scene.open();
  page = await scene.page();
});
afterAll(() => scene.close());

type Results = Extract<SearchEvent, { type: 'results' }>;

async function stagesOf(query: string, parameters?: Record<string, string>): Promise<Results[]> {
  const events = await scene.search(query, parameters);
  return events.map((event) => {
    if (event.type !== 'results') throw new Error(JSON.stringify(event));
    return event;
  });
}

/** What the service itself says, without this application. */
async function ask<T>(path: string, body: object): Promise<T> {
  const answer = await fetch(scene.serviceUrl + path, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}

/** The text of a hit as it was embedded. */
function textOf({ title, passage }: Hit): string {
  return `${title}\n${passage.map(({ text }) => text).join('')}`;
}

function descending(numbers: (number | null)[]): void {
  expect(numbers.length).toBeGreaterThan(1);
  expect(numbers).toEqual([...numbers].sort((a, b) => Number(b) - Number(a)));
}

describe('bge-m3 and a reranker', () => {
  const query = 'банки с вареньем';

  it('indexes lexical weights beside the vectors', async () => {
    await open(page, '/');
    await scene.serve([MODELS.tinyBgeM3, MODELS.tinyReranker]);
    const { service } = await scene.ready('tiny-bge-m3');
    expect(service).toMatchObject({ dimension: 128, lexical: true, prompts: false });
    expect(service.reranking).toEqual({ by: 'cross-encoder', model: 'tiny-reranker' });
  });

  it('sends dense hits first, then those with words, then those reranked', async () => {
    const stages = await stagesOf(query, { limit: '20' });
    expect(stages.map(({ stage, final }) => [stage, final])).toEqual([
      ['dense', false],
      ['hybrid', false],
      ['reranked', true],
    ]);
    descending(stages[0]?.hits.map(({ scores }) => scores.dense) ?? []);
    expect(stages[0]?.hits.map(({ article }) => article)).not.toEqual(stages[1]?.hits.map(({ article }) => article));
  });

  it('has the scores that the service gives', async () => {
    const [, hybrid, reranked] = await stagesOf(query, { limit: '50' });
    const hits = reranked?.hits.filter(({ scores }) => scores.rerank !== null) ?? [];
    descending(hits.map(({ scores }) => scores.rerank));
    const scores = await ask<{ index: number; score: number }[]>('/rerank', { query, texts: hits.map(textOf) });
    for (const { index, score } of scores) expect(hits[index]?.scores.rerank).toBeCloseTo(score, 5);

    const matching = hybrid?.hits.filter(({ scores }) => scores.lexical !== null && scores.dense !== null) ?? [];
    expect(matching.length).toBeGreaterThan(3);
    const { embeddings, lexical_weights: weights } = await ask<{
      embeddings: number[][];
      lexical_weights: Record<string, number>[];
    }>('/embed', { texts: [query, ...matching.map(textOf)], return_sparse: true });
    matching.forEach(({ scores }, i) => {
      const cosine = embeddings[0]?.reduce((sum, each, at) => sum + each * (embeddings[i + 1]?.[at] ?? NaN), 0);
      expect(scores.dense).toBeCloseTo(cosine ?? NaN, 4);
      const words = Object.entries(weights[0] ?? {}).map(([token, weight]) => weight * (weights[i + 1]?.[token] ?? 0));
      expect(scores.lexical).toBeCloseTo(words.reduce((sum, each) => sum + each, 0), 3);
    });
  });

  it('shows the stages, and what reranking moved', async () => {
    await box(page).fill(query);
    await page.locator('[data-stage=reranked].last').waitFor();
    const texts = await page.locator('.stages li').allTextContents();
    expect(texts).toEqual([/^Meaning \d+ ms$/, /^Meaning \+ words \d+ ms$/, /^Reranked \d+ ms$/].map((each) => expect.stringMatching(each)));
    expect(await page.locator('.by').first().textContent()).toBe('ranked by the reranker');
    expect(await page.locator('.moved').count()).toBeGreaterThan(0);
    const expected = (await stagesOf(query)).at(-1)?.hits.map(({ article }) => article);
    expect(await shownArticles(page)).toEqual(expected);
    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, 'hybrid-desktop-light-en');
    const phone = await scene.page({ viewport: PHONE, isMobile: true, hasTouch: true, locale: 'ru', colorScheme: 'dark' });
    await open(phone, page.url());
    await phone.locator('[data-stage=reranked].last').waitFor();
    expect(await accessibilityFaults(phone)).toEqual([]);
    await screenshot(phone, 'hybrid-phone-dark-ru');
    await phone.context().close();
  });

  it('streams: the first hits are on the page while the reranker still works', async () => {
    // A proxy's delay, so that nobody depends on how fast this machine is: the last line is kept back.
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.exposeFunction('held', () => held);
    await page.evaluate(() => {
      const original = window.fetch;
      window.fetch = async (...given) => {
        const answer = await original(...given);
        if (!String(given[0]).includes('/api/search') || !answer.body) return answer;
        const keep = new TransformStream<Uint8Array, Uint8Array>({
          async transform(chunk, controller) {
            const text = new TextDecoder().decode(chunk);
            const at = text.indexOf('{"type":"results","stage":"reranked"');
            if (at !== 0) controller.enqueue(new TextEncoder().encode(at < 0 ? text : text.slice(0, at)));
            if (at < 0) return;
            await (window as unknown as { held: () => Promise<void> }).held();
            controller.enqueue(new TextEncoder().encode(text.slice(at)));
          },
        });
        return new Response(answer.body.pipeThrough(keep), answer);
      };
    });
    await box(page).fill('морозный лес');
    await page.locator('[data-stage=hybrid].last').waitFor();
    expect(await page.locator('[data-stage=reranked]').getAttribute('class')).toBe('pending');
    expect(await page.locator('.results > li').count()).toBe(10);
    release();
    await page.locator('[data-stage=reranked].last').waitFor();
    await page.reload();
  });

  it('reranks with ColBERT vectors where there is no cross-encoder, and embeds nothing again', async () => {
    const indexed = scene.app.output.match(/\[index\] Indexing/g)?.length;
    await scene.serve([MODELS.tinyBgeM3]);
    const { service } = await scene.status((status) => status.service.reranking?.by === 'colbert');
    expect(service.reranking).toEqual({ by: 'colbert', model: 'tiny-bge-m3' });
    const hits = (await stagesOf(query, { limit: '50' })).at(-1)?.hits.filter(({ scores }) => scores.rerank !== null) ?? [];
    const { results } = await ask<{ results: { index: number; relevance_score: number }[] }>('/rerank', {
      query,
      documents: hits.map(textOf),
      mode: 'colbert',
    });
    for (const { index, relevance_score } of results) expect(hits[index]?.scores.rerank).toBeCloseTo(relevance_score, 4);
    expect(scene.app.output.match(/\[index\] Indexing/g)?.length).toBe(indexed);
  });
});

describe('another model', () => {
  it('is noticed: the index is built anew, and dense vectors alone rank', async () => {
    await scene.serve([MODELS.miniLm]);
    const { service } = await scene.ready('all-MiniLM-L6-v2');
    expect(service).toMatchObject({ dimension: 384, lexical: false, reranking: null, prompts: false });
    expect(scene.app.output).toMatch(/Indexing with all-MiniLM-L6-v2: 0 of 168/);
    await page.locator('.footer', { hasText: 'Dense vectors only: all-MiniLM-L6-v2 has no lexical weights' }).waitFor();
  });

  it.each([
    ['woollen clothes got smaller', 'en/home/wool-sweater'],
    ['water leaks from the faucet', 'en/home/dripping-tap'],
    ['smart animal with eight arms', 'en/knowledge/octopus'],
    ['delete my data', 'en/help/delete-account'],
    ['flames and ash with flashes', 'en/knowledge/volcano-lightning'],
  ])('finds for "%s" %s', async (query, article) => {
    await searchFor(page, query, article);
  });
});

describe('articles', () => {
  const id = 'en/home/boiling-point';

  it('are found as soon as they are written, and only they are embedded', async () => {
    scene.writeArticle(id, '# Making tea on a mountain\n\nHigh up, water boils before it is hot enough for black tea.\n');
    const { articles } = await scene.status((status) => status.articles === 85);
    expect(articles).toBe(85);
    expect(scene.app.output).toMatch(/0 of 1 passages/);
    await searchFor(page, 'brewing tea at altitude', id);
    await page.locator('.results h2 a').first().click();
    await page.getByRole('heading', { level: 1, name: 'Making tea on a mountain' }).waitFor();
    await page.goBack();
  });

  it('with a fault are named', async () => {
    scene.writeArticle(id, 'No title.\n');
    await page.getByText('Search is not possible').waitFor();
    await page.locator('summary').click();
    await page.getByText('content/en/home/boiling-point.md: the first line must be a title').waitFor();
  });

  it('are not found any more when they are gone', async () => {
    scene.removeArticle(id);
    await scene.status((status) => status.articles === 84);
    const [stage] = await stagesOf('brewing tea at altitude', { limit: '50' });
    expect(stage?.hits.map(({ article }) => article)).not.toContain(id);
  });
});

describe('a second start', () => {
  it('uses the index that is there', async () => {
    await scene.app.stop();
    await page.getByText('This application does not answer').waitFor();
    await scene.startApp();
    await scene.ready('all-MiniLM-L6-v2');
    expect(scene.app.output).not.toContain('Indexing');
    await page.getByText('This application does not answer').waitFor({ state: 'detached' });
    await searchFor(page, 'woollen clothes got smaller', 'en/home/wool-sweater');
  });
});
