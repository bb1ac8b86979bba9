import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { samples } from '../src/samples';
import { launch, open, picture, type OpenOptions, type Watched } from './support/browser';
import { models, pictures, start, type Service } from './support/service';

let browser: Browser;
let service: Service;
let watched: Watched | undefined;

beforeAll(async () => {
  browser = await launch();
  service = await start(['--model', models.tinyBgeM3, '--model', models.miniLm, '--model', models.tinyReranker]);
});
afterEach(async () => {
  const faults = watched?.faults;
  await watched?.close();
  watched = undefined;
  expect(faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await service.stop();
});

async function visit(options: OpenOptions = {}): Promise<Page> {
  watched = await open(browser, `${service.url}/`, options);
  await watched.page.waitForSelector('.pill.is-ready');
  return watched.page;
}

const phone: OpenOptions = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** The scores of one column, in the order of the rows. */
const column = (page: Page, kind: string) =>
  page.$$eval(`.hits tbody .${kind} .figure-small`, (cells) => cells.map((cell) => Number(cell.textContent)));
const rows = (page: Page) => page.$$eval('.hits tbody .text', (cells) => cells.map((cell) => (cell as HTMLElement).innerText.trim()));

async function search(page: Page, query: string): Promise<void> {
  await page.click('#tab-search');
  await page.fill('.search input', query);
  await page.click('.search .primary');
  await page.waitForSelector('.hits tbody tr');
}

describe('what is running', () => {
  test('is shown with its devices, sizes and heads', async () => {
    const page = await visit();
    const cards = await page.$$eval('.model', (all) => all.map((card) => (card as HTMLElement).innerText));
    expect(cards).toHaveLength(3);
    expect(cards[0]).toMatch(/tiny-bge-m3[\s\S]*Dense[\s\S]*Sparse[\s\S]*ColBERT[\s\S]*cpu · float32[\s\S]*128[\s\S]*8,192 tokens/);
    expect(cards[1]).toMatch(/all-MiniLM-L6-v2[\s\S]*384[\s\S]*256 tokens[\s\S]*22\.7M/);
    expect(cards[2]).toMatch(/tiny-reranker[\s\S]*reranker/);
  });

  test('is shown live, while the page is seen and not otherwise', async () => {
    const page = await visit();
    await page.click('.samples [lang=en]');
    await page.waitForFunction(() => /\d+(\.\d+)? m?s/.test(document.querySelectorAll('.live .value')[1]?.textContent ?? ''));
    await page.waitForFunction(() => /^10( |$)|most in two minutes: [1-9]/.test(document.querySelector('.live .note')?.textContent ?? ''));
    expect(await page.textContent('.live')).toMatch(/\d+ results?/);


    // The page's own clock is moved on, and the tab hidden and shown by what browsers tell pages.
    const show = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await page.clock.install();
    await page.reload();
    await page.waitForResponse(/\/metrics$/);
    const next = page.waitForResponse(/\/metrics$/);
    await page.clock.fastForward(2500);
    await (await next).finished();
    await show(true);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    for (let i = 0; i < 5; i += 1) await page.clock.fastForward(60_000);
    expect(asked).toEqual([]);
    // Hidden again while an answer is on its way, which is held back until then.
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/metrics', async (route) => {
      await held;
      await route.continue();
    });
    const again = page.waitForRequest(/\/metrics$/);
    const answer = page.waitForResponse(/\/metrics$/);
    await show(false);
    await again;
    await show(true);
    release();
    await (await answer).finished();
    asked.length = 0;
    for (let i = 0; i < 5; i += 1) await page.clock.fastForward(60_000);
    expect(asked).toEqual([]);
  });
});

test('a sample, and Clear, take the place of texts that can be brought back', async () => {
  const page = await visit();
  const text = () => page.inputValue('#texts');
  await page.click('.samples [lang=en]');
  expect(await text()).toBe(samples.en.texts.join('\n'));
  expect(await page.$('.samples .link:has-text("Bring back")')).toBeNull();
  await page.fill('#texts', 'mine\nand mine too');
  await page.click('#tab-search');
  await page.fill('.search input', 'my question');
  for (const language of ['en', 'ru'] as const) {
    await page.click(`.samples [lang=${language}]`);
    expect(await text()).toBe(samples[language].texts.join('\n'));
  }
  expect(await page.inputValue('.search input')).toBe('my question');
  await page.reload();
  await page.waitForSelector('.pill.is-ready');
  await picture(page, pictures, 'bring-back');
  expect(await page.textContent('.empty')).toContain('Press “Compare texts”.');
  await page.click('.samples .link:has-text("Bring back")');
  expect(await text()).toBe('mine\nand mine too');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('texts');
  expect(await page.$('.samples .link:has-text("Bring back")')).toBeNull();
  await page.click('.samples .link:has-text("Clear")');
  expect(await text()).toBe('');
  await page.click('.samples .link:has-text("Bring back")');
  expect(await text()).toBe('mine\nand mine too');
});

describe('similarity', () => {
  test('of every pair is a heat map whose values are the vectors’ cosines', async () => {
    const page = await visit();
    await page.selectOption('.editor select', 'all-MiniLM-L6-v2');
    await page.click('.samples [lang=en]');
    await page.waitForSelector('.heat td');
    const texts = samples.en.texts;
    const answer = await fetch(`${service.url}/embed`, { method: 'POST', body: JSON.stringify({ texts, model: 'all-MiniLM-L6-v2' }) });
    const { embeddings } = (await answer.json()) as { embeddings: number[][] };
    const shown = await page.$$eval('.heat td[data-at]', (cells) =>
      cells.map((cell) => [cell.getAttribute('data-at'), Number(cell.textContent)] as const),
    );
    expect(shown).toHaveLength(texts.length ** 2);
    for (const [at, value] of shown) {
      const [i, j] = at!.split(',').map(Number);
      const cosine = embeddings[i!]!.reduce((sum, x, k) => sum + x * embeddings[j!]![k]!, 0);
      expect(value).toBeCloseTo(cosine, 1.9);
    }
    // The nearest pair is the darkest, and what is pointed at is said in full.
    const share = (at: string) => page.$eval(`[data-at="${at}"]`, (cell) => getComputedStyle(cell).getPropertyValue('--share'));
    expect(await share('0,1')).toBe('100%');
    await page.hover('[data-at="0,1"]');
    expect(await page.textContent('.readout')).toContain(texts[1]);
    await picture(page, pictures, 'similarity-minilm');
  });

  test('says when the texts have changed since', async () => {
    const page = await visit();
    await page.click('.samples [lang=en]');
    await page.waitForSelector('.heat td');
    expect(await page.$('.hint')).toBeNull();
    await page.fill('#texts', 'one\ntwo');
    expect(await page.textContent('.hint')).toContain('changed');
    await page.click('.editor .primary');
    await page.waitForFunction(() => document.querySelectorAll('.heat td[data-at]').length === 4);
  });

  test('of a hundred texts is drawn too, and of more the first hundred', async () => {
    const page = await visit();
    await page.fill('#texts', Array.from({ length: 120 }, (_, i) => `text number ${i}`).join('\n'));
    expect(await page.textContent('.editor .hint')).toContain('first 100 of 120');
    await page.click('.editor .primary');
    await page.waitForFunction(() => document.querySelectorAll('.heat td[data-at]').length === 10_000);
    await picture(page, pictures, 'similarity-hundred-texts');
  });

  test('is drawn as a map, with the nearest texts of each', async () => {
    const page = await visit();
    await page.selectOption('.editor select', 'all-MiniLM-L6-v2');
    await page.click('.samples [lang=en]');
    await page.click('#tab-map');
    await page.waitForSelector('.point');
    expect(await page.textContent('.map')).toMatch(/PCA.*\d+%/);
    await page.focus('.point[aria-label^="1:"]');
    const nearest = await page.$$eval('.near-list li', (items) => items.map((item) => item.textContent));
    expect(nearest).toHaveLength(3);
    expect(nearest[0]).toContain(samples.en.texts[1]);
    await picture(page, pictures, 'map-minilm');
  });
});

describe('search', () => {
  test('with MiniLM puts what answers first', async () => {
    const page = await visit();
    await page.selectOption('.editor select', 'all-MiniLM-L6-v2');
    await page.click('.samples [lang=en]');
    await page.click('#tab-search');
    await page.selectOption('.search select', '');
    await search(page, 'How long does the battery last?');
    expect((await rows(page))[0]).toBe('The battery lasts about ten hours on a single charge.');
    const scores = await column(page, 'dense');
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(await page.$$('.hits .sparse, .hits .colbert, .hits .rerank')).toHaveLength(0);
  });

  test('with bge-m3’s kind shows the scores that the server itself would give', async () => {
    const page = await visit();
    const texts = ['мир и труд', 'Привет, мир', 'something else entirely'];
    const query = 'hello мир';
    await page.fill('#texts', texts.join('\n'));
    await page.click('#tab-search');
    for (const select of await page.$$('.search select')) await select.selectOption('');
    await page.selectOption('.search .select:last-child select', 'tiny-reranker');
    await search(page, query);
    for (const kind of ['dense', 'sparse', 'colbert', 'rerank']) {
      const answer = await fetch(`${service.url}/v1/rerank`, {
        method: 'POST',
        body: JSON.stringify({
          query,
          documents: texts,
          ...(kind === 'rerank' ? { model: 'tiny-reranker' } : { model: 'tiny-bge-m3', mode: kind }),
        }),
      });
      const { results } = (await answer.json()) as { results: { index: number; relevance_score: number }[] };
      await page.click(`.hits th.${kind} button`);
      await page.waitForSelector(`.hits th.${kind}[aria-sort=descending]`);
      expect(await rows(page)).toEqual(results.map(({ index }) => texts[index]));
      const shown = await column(page, kind);
      expect(Math.max(...shown)).toBeGreaterThan(0.1);
      results.forEach(({ relevance_score }, i) => expect(shown[i]).toBeCloseTo(relevance_score, 2));
    }
  });

  test('marks tokens by their weights, and by how they match a token of the query', async () => {
    const page = await visit();
    await page.fill('#texts', 'Привет, мир\nмир и труд');
    await search(page, 'hello мир');
    const weights = () => page.$$eval('.hits .weighted span', (all) => all.map((one) => getComputedStyle(one).getPropertyValue('--share')));
    expect((await weights()).some((share) => share === '100%')).toBe(true);
    expect((await page.$$('.hits .weighted .shared')).length).toBeGreaterThan(0);
    const button = page.locator('.query-tokens button').first();
    await button.focus();
    await page.waitForSelector('.hits .lit .best');
    const lit = await page.$$eval('.hits .lit', (texts) =>
      texts.map((text) => {
        const values = [...text.querySelectorAll('span')].map((token) => Number(token.title));
        return { best: Number(text.querySelector<HTMLElement>('.best')?.title), most: Math.max(...values), least: Math.min(...values) };
      }),
    );
    expect(lit).toHaveLength(2);
    for (const { best, most, least } of lit) {
      expect(best).toBe(most);
      expect(most).toBeGreaterThan(least);
    }
    expect(await page.textContent('.asked')).toContain('matched best');
    await button.blur();
    await page.waitForSelector('.hits .weighted');
    await button.hover();
    await page.waitForSelector('.hits .lit');
    await picture(page, pictures, 'matches-by-mouse');
    await button.click();
    await page.mouse.move(0, 0);
    await page.focus('.search input');
    expect(await page.$('.hits .lit')).not.toBeNull();
  });
});

test('tokens are shown with their ids, of any model', async () => {
  const page = await visit();
  await page.fill('#texts', 'Hello world');
  await page.click('#tab-tokens');
  await page.selectOption('.panel select', 'all-MiniLM-L6-v2');
  await page.click('.panel .primary');
  await page.waitForSelector('.chips');
  expect(await page.$$eval('.chips li', (all) => all.map((one) => (one as HTMLElement).innerText.split('\n')))).toEqual([
    ['[CLS]', '101'], ['Hello', '7592'], ['world', '2088'], ['[SEP]', '102'],
  ]);
  await page.selectOption('.panel select', 'tiny-reranker');
  await page.click('.panel .primary');
  await page.waitForFunction(() => document.querySelector('.panel .facts')?.textContent?.includes('tiny-reranker'));
});

test('the request can be copied in three languages', async () => {
  const page = await visit();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
  await page.click('.samples [lang=ru]');
  await page.waitForSelector('.heat td');
  await page.click('.snippet summary');
  for (const [language, part] of [
    ['curl', `curl '${service.url}/embed'`],
    ['TypeScript', `await fetch("${service.url}/embed"`],
    ['Python', 'urllib.request.urlopen'],
  ] as const) {
    await page.click(`.snippet label:has-text("${language}")`);
    await page.click('.snippet .row > button');
    await page.waitForFunction(() => document.querySelector('.snippet .row > button')?.textContent === 'Copied');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain(part);
    expect(copied).toContain(samples.ru.texts[0]);
    await page.focus('#texts');
  }
});

describe('the page', () => {
  test('speaks Russian to those who do, and the other language on a switch that it remembers', async () => {
    const page = await visit({ locale: 'ru-RU' });
    expect(await page.getAttribute('html', 'lang')).toBe('ru');
    expect(await page.textContent('.editor h2')).toBe('Тексты');
    await page.click('.samples [lang=ru]');
    await page.waitForSelector('.heat td');
    expect(await page.textContent('[data-at="0,0"]')).toBe('1,00');
    await page.click('.choice label:has-text("EN")');
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    expect(await page.textContent('.heat h2')).toContain('Cosine');
    await page.reload();
    expect(await page.textContent('.editor h2')).toBe('Texts');
    // What was pasted is there again in the same tab.
    expect(await page.inputValue('#texts')).toContain(samples.ru.texts[0]);
  });

  test('is dark where the system is, and by its own switch', async () => {
    const page = await visit({ colorScheme: 'dark' });
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.click('.choice label:has-text("Light")');
    const light = await paper();
    expect(light).not.toBe(dark);
    await page.click('.choice label:has-text("Auto")');
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await paper()).toBe(light);
    await page.click('.choice label:has-text("Dark")');
    expect(await paper()).toBe(dark);
    await page.reload();
    await page.waitForSelector('.model');
    expect(await paper()).toBe(dark);
  });

  test('is used by the keyboard alone', async () => {
    const page = await visit();
    const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute('data-at') || document.activeElement?.textContent);
    const tabTo = async (wanted: string) => {
      for (let i = 0; i < 40; i += 1) {
        await page.keyboard.press('Tab');
        if ((await focused()) === wanted) return;
      }
      throw new Error(`Tab never comes to ${wanted}`);
    };
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter'); // to the texts
    expect(await focused()).toBe('texts');
    await page.keyboard.type('a cat\na dog\na train to Minsk');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.heat td');
    await tabTo('tab-similarity');
    await tabTo('0,0');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    expect(await focused()).toBe('1,2');
    expect(await page.textContent('.readout')).toContain('a train to Minsk');
    await page.focus('#tab-similarity');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('tab-map');
    await page.waitForSelector('.point');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Tab');
    await page.keyboard.type('where do I go?');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.hits tbody tr');
    await tabTo('Dense');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.hits th.dense[aria-sort=descending]');
  });

  test.each(['en', 'ru'] as const)('fits a phone in %s', async (language) => {
    const page = await visit({ ...phone, locale: language });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBe(0);
    await page.tap(`.samples [lang=${language}]`);
    await page.waitForSelector('.heat td');
    expect(await overflow()).toBe(0);
    // The result is brought into sight.
    await page.waitForFunction(() => document.querySelector('.results')!.getBoundingClientRect().top < innerHeight * 0.7);
    await picture(page, pictures, `similarity-phone-light-${language}`);
    await page.tap('#tab-map');
    await page.waitForSelector('.point');
    expect(await overflow()).toBe(0);
    await picture(page, pictures, `map-phone-light-${language}`);
    await page.tap('#tab-search');
    await page.tap('.search .primary');
    await page.waitForSelector('.hits tbody tr');
    expect(await overflow()).toBe(0);
    await picture(page, pictures, `search-phone-light-${language}`);
    await page.tap('#tab-tokens');
    await page.tap('.panel .primary');
    await page.waitForSelector('.chips');
    await page.tap('.snippet summary');
    expect(await overflow()).toBe(0);
    await picture(page, pictures, `tokens-phone-light-${language}`);
  });
});
