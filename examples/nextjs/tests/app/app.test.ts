import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PHONE, accessibilityFaults, overflow, screenshot } from '../support/browser';
import { MODELS } from '../support/paths';
import { KEY, Scene, box, open, searchFor, shownArticles } from './scene';

// In the order of a day: each test goes on where the one before it ended.
const scene = new Scene();
let page: Page;
let phone: Page;

beforeAll(async () => {
  await scene.open();
  page = await scene.page({ locale: 'ru-RU' });
  phone = await scene.page({ viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' });
});
afterAll(() => scene.close());

describe('without the service', () => {
  it('says where it looked and what to do, in the language of the browser', async () => {
    await open(page, '/');
    const alert = page.getByRole('alert').filter({ hasText: scene.serviceUrl });
    await alert.waitFor();
    expect(await alert.textContent()).toContain('Сервис эмбеддингов не отвечает');
    expect(await alert.textContent()).toContain('EMBEDDING_SERVICE_URL');
    await screenshot(page, 'unreachable-desktop-light-ru');

    await open(phone, '/');
    await phone.getByText('The embedding service does not answer').waitFor();
    expect(await accessibilityFaults(phone)).toEqual([]);
    await screenshot(phone, 'unreachable-phone-dark-en');
  });

  it('keeps what was asked', async () => {
    await box(page).fill('не могу войти');
    expect(await page.locator('.results').count()).toBe(0);
  });
});

describe('the first start', () => {
  it('shows how building the index goes on, and then does the search that was waiting', async () => {
    // Each value that the bar has had: it may be gone before anybody looks.
    await page.evaluate(() => {
      const seen = ((window as unknown as { seen: number[] }).seen = [] as number[]);
      new MutationObserver(() => {
        const bar = document.querySelector('progress');
        if (bar && bar.value !== seen.at(-1)) seen.push(bar.value);
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await scene.serve([MODELS.e5]);
    await page.getByRole('progressbar', { name: 'Строится индекс' }).waitFor();
    await page.locator('progress:not([value="0"])').waitFor();
    await screenshot(page, 'indexing-desktop-light-ru');
    await phone.getByRole('progressbar').waitFor();
    await screenshot(phone, 'indexing-phone-dark-en');
    await page.locator('.results').waitFor();
    const seen = await page.evaluate(() => (window as unknown as { seen: number[] }).seen);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect((await shownArticles(page))[0]).toBe('ru/help/reset-password');
  });

  it('tells the log too', () => {
    expect(scene.app.output).toMatch(/\[index\] No search: the service at http:\S+ is unreachable/);
    expect(scene.app.output).toMatch(/Indexing with multilingual-e5-small: 8 of \d+ passages/);
    expect(scene.app.output).toMatch(/Ready: 84 articles in \d+ passages, multilingual-e5-small \(384 dimensions\)/);
  });
});

describe('search in both languages', () => {
  it.each([
    ['почему солнце вечером красное', 'ru/knowledge/why-sky-is-blue'],
    ['из раковины течёт вода', 'ru/home/dripping-tap'],
    ['почему хлеб не вырос', 'ru/cooking/yeast-dough'],
    ['cannot log in', 'en/help/reset-password'],
    ['animal that opens jars', 'en/knowledge/octopus'],
    ['how do birds navigate', 'en/knowledge/migrating-birds'],
  ])('finds for "%s" %s', async (query, article) => {
    await searchFor(page, query, article);
  });

  it('puts what fits better before what fits less', async () => {
    await searchFor(page, 'why does dough stay flat', 'en/cooking/yeast-dough');
    const scores = await page.locator('.scores dd').allTextContents();
    const numbers = scores.map((score) => Number(score.replace(',', '.')));
    expect(numbers.length).toBe(10);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
  });

  it('finds in one language what is asked in the other', async () => {
    await page.getByRole('radio', { name: 'английский' }).check();
    await searchFor(page, 'как перелётные птицы находят дорогу', 'en/knowledge/migrating-birds');
    expect((await shownArticles(page)).every((id) => id.startsWith('en/'))).toBe(true);
    await page.getByRole('radio', { name: 'Все' }).check();
    await searchFor(page, 'как перелётные птицы находят дорогу', 'ru/knowledge/migrating-birds');
  });

  it('marks words of the query, and says that vectors alone rank', async () => {
    await searchFor(page, 'забыл пароль', 'ru/help/reset-password');
    expect(await page.locator('.results mark').allTextContents()).toContain('пароль');
    expect(await page.locator('.footer').textContent()).toContain('Только плотные векторы');
    expect(await page.locator('.stages li').allTextContents()).toEqual([expect.stringMatching(/^Смысл \d+ мс$/)]);
    await screenshot(page, 'results-desktop-light-ru');
  });
});

describe('the page', () => {
  it('abandons searches that are not wanted any more', async () => {
    const abandoned = page.waitForEvent('requestfailed', (request) => request.url().includes('q=slow'));
    await page.route(/q=slow/, () => undefined);
    const asked = page.waitForRequest(/q=slow/);
    await box(page).fill('slow');
    await asked;
    await searchFor(page, 'зелень вянет', 'ru/cooking/storing-herbs');
    expect((await abandoned).failure()?.errorText).toBe('net::ERR_ABORTED');
    await page.unroute(/q=slow/);
  });

  it('searches when typing pauses, not at each key', async () => {
    const before = scene.requests.length;
    await box(page).fill('');
    await box(page).pressSequentially('малосольные');
    await page.locator('.results > li:first-child[data-article="ru/cooking/salted-cucumbers"]').waitFor();
    const asked = scene.requests.slice(before).filter((url) => url.includes('/api/search'));
    expect(asked.length).toBeLessThan('малосольные'.length);
  });

  it('has an address that leads back', async () => {
    await page.getByRole('radio', { name: 'русский' }).check();
    await searchFor(page, 'кофе', 'ru/cooking/coffee-cezve');
    await page.waitForURL((url) => url.searchParams.get('q') === 'кофе' && url.searchParams.get('in') === 'ru');
    const other = await scene.page();
    await open(other, page.url());
    expect(await box(other).inputValue()).toBe('кофе');
    await other.locator('.results > li:first-child[data-article="ru/cooking/coffee-cezve"]').waitFor();
    expect((await shownArticles(other)).every((id) => id.startsWith('ru/'))).toBe(true);
    await other.context().close();
  });

  it('needs no mouse', async () => {
    await open(page, '/');
    await page.keyboard.press('/');
    await page.keyboard.type('приливы');
    const links = page.locator('.results h2 a');
    await page.locator('.results > li:first-child[data-article="ru/knowledge/tides"]').waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe(await links.nth(0).textContent());
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe(await links.nth(1).textContent());
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Откуда берутся приливы' }).waitFor();
    await page.getByRole('link', { name: 'английский' }).click();
    await page.getByRole('heading', { level: 1, name: 'Where tides come from' }).waitFor();
    await page.goBack();
    await page.goBack();
    await page.locator('.results > li:first-child[data-article="ru/knowledge/tides"]').waitFor();
    expect(await box(page).inputValue()).toBe('приливы');
    await box(page).focus();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Все статьи' }).waitFor();
  });

  it('changes its language and theme, and remembers them', async () => {
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'All articles' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    await page.getByRole('button', { name: 'Dark theme' }).click();
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await ground()).toBe('rgb(14, 17, 22)');
    await page.reload();
    await page.getByRole('heading', { name: 'All articles' }).waitFor();
    expect(await ground()).toBe('rgb(14, 17, 22)');
    await screenshot(page, 'start-desktop-dark-en', true);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Light theme' }).click();
    await page.getByRole('button', { name: 'Русский' }).click();
    await page.getByRole('heading', { name: 'Все статьи' }).waitFor();
    await screenshot(page, 'start-desktop-light-ru', true);
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('fits a phone', async () => {
    await screenshot(phone, 'start-phone-dark-en', true);
    await searchFor(phone, 'my parcel is lost', 'en/help/parcel-late');
    expect(await accessibilityFaults(phone)).toEqual([]);
    await screenshot(phone, 'results-phone-dark-en');
    for (const width of [320, PHONE.width]) {
      await phone.setViewportSize({ ...PHONE, width });
      expect(await overflow(phone)).toBe(0);
    }
    await phone.locator('.results h2 a').first().click();
    await phone.getByRole('heading', { level: 1, name: 'My parcel has not arrived' }).waitFor();
    await phone.waitForFunction(() => document.title.startsWith('My parcel has not arrived'));
    expect(await accessibilityFaults(phone)).toEqual([]);
    await screenshot(phone, 'article-phone-dark-en');
    await phone.context().close();
  });

  it('says what is not there', async () => {
    const answer = await page.goto('/articles/en/help/nothing');
    expect(answer?.status()).toBe(404);
    await page.getByRole('heading', { name: 'Такой статьи нет' }).waitFor();
    expect((await fetch(`${scene.url}/articles/%25`)).status).toBe(404);
    expect(scene.app.output).not.toContain('URIError');
  });

  it('searches for the beginning of what is too long in an address', async () => {
    await open(page, '/?q=' + encodeURIComponent('янтарь '.repeat(100)));
    await page.locator('.results[aria-busy=false]').waitFor();
    expect(await box(page).inputValue()).toHaveLength(500);
  });

  it.each([
    ['/api/search', 'q: expected the words to search for'],
    [`/api/search?q=${'a'.repeat(501)}`, 'q: expected at most 500 letters, got 501'],
    ['/api/search?q=a&in=Russian', 'in: expected a language such as ru, got "Russian"'],
    ['/api/search?q=a&limit=0', 'limit: expected a whole number from 1 to 50, got "0"'],
  ])('refuses %s', async (path, error) => {
    const answer = await fetch(scene.url + path);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toEqual({ error });
  });
});

describe('when the service goes away', () => {
  it('says so, and does the search when it is back', async () => {
    await open(page, '/?q=' + encodeURIComponent('янтарь'));
    await page.locator('.results').waitFor();
    await scene.stopService();
    await box(page).fill('мерзлота');
    await page.getByText('Сервис эмбеддингов не отвечает').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await scene.serve([MODELS.e5]);
    await page.locator('.results > li:first-child[data-article="ru/knowledge/permafrost"]').waitFor();
    expect(await page.getByText('Сервис эмбеддингов не отвечает').count()).toBe(0);
  });

  it('says that a key is wrong, and works with the right one', async () => {
    await scene.serve([MODELS.e5], 'another-key');
    await page.getByText('Сервис эмбеддингов не принимает ключ').waitFor();
    expect(await page.getByRole('alert').allTextContents()).toContainEqual(
      expect.stringContaining('EMBEDDING_SERVICE_API_KEY'),
    );
    await screenshot(page, 'wrong-key-desktop-light-ru');
    await scene.serve([MODELS.e5], KEY);
    await page.locator('.footer').waitFor();
    await searchFor(page, 'овощи засолить', 'ru/cooking/salted-cucumbers');
    // The index is what it was: nothing was embedded again.
    expect(scene.app.output.match(/: 8 of/g)?.length).toBe(1);
  });
});

describe('when the service has enough to do', () => {
  it('says that it is busy and until when, and asks it again only then', async () => {
    await scene.serve([MODELS.e5], undefined, ['--rate-limit-tokens', '50', '--rate-limit-burst', '20']);
    await scene.ready('multilingual-e5-small');
    // Somebody else at this address takes more than there is: 512 tokens of each text, of 1,000.
    const texts = ['много слов '.repeat(500), 'и ещё слова '.repeat(500), 'и другие слова '.repeat(500)];
    expect((await fetch(`${scene.serviceUrl}/embed`, { method: 'POST', body: JSON.stringify({ texts }) })).status).toBe(200);
    await box(page).fill('осенние яблоки');
    const panel = page.locator('.panel[data-state=busy]');
    await panel.waitFor();
    expect(await panel.textContent()).toMatch(/Сервис эмбеддингов занят.*Следующая попытка — через \d+ секунд/);
    expect(await page.getByRole('status').allTextContents()).toContain('Сервис эмбеддингов занят');
    expect(await page.locator('.results').count()).toBe(0); // those of the query before are not this one's
    expect(await accessibilityFaults(page)).toEqual([]);
    await screenshot(page, 'busy-desktop-light-ru');
    await panel.waitFor({ state: 'detached' });
    await page.locator('.results[aria-busy=false]').waitFor();
    const metrics = await (await fetch(`${scene.serviceUrl}/metrics`)).text();
    const refused = [...metrics.matchAll(/^te_request_count\{path="[^"]*",status="429"\} (\d+)$/gm)].map(([, count]) => count);
    expect(refused).toEqual(['1']);
  });
});

describe('afterwards', () => {
  it('nothing came from elsewhere, and the page made no mistakes', () => {
    expect(scene.requests.length).toBeGreaterThan(50);
    expect(scene.requests.filter((url) => !url.startsWith(`${scene.url}/`))).toEqual([]);
    // The browser itself tells of the article that is not there.
    expect(scene.faults.filter((fault) => !fault.includes('404'))).toEqual([]);
  });
});
