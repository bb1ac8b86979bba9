import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import type { AxeResults, RunOptions } from 'axe-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, open, picture } from './support/browser';
import { models, pictures, start, type Service } from './support/service';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let service: Service;
beforeAll(async () => {
  browser = await launch();
  service = await start(['--model', models.tinyBgeM3, '--model', models.tinyReranker]);
});
afterAll(async () => {
  await browser.close();
  await service.stop();
});

/** What axe finds in the page as it is, each a sentence; the page's policy lets no other script in. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run({ resultTypes: ['violations'] }),
  );
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}

test.each([
  ['en', 'light', 'all'],
  ['en', 'dark', 'some'],
  ['ru', 'light', 'some'],
  ['ru', 'dark', 'all'],
] as const)('axe finds nothing serious in %s, %s', async (language, scheme, views) => {
  const { page, faults, close } = await open(browser, `${service.url}/`, { locale: language, colorScheme: scheme });
  await page.waitForSelector('.pill.is-ready');
  await page.click(`.samples [lang=${language}]`);
  await page.waitForSelector('.heat td');
  await page.click('.snippet summary');
  expect(await findings(page)).toEqual([]);
  await picture(page, pictures, `similarity-desktop-${scheme}-${language}`);
  await page.click('#tab-search');
  await page.click('.search .primary');
  await page.waitForSelector('.hits tbody tr');
  expect(await findings(page)).toEqual([]);
  await picture(page, pictures, `search-desktop-${scheme}-${language}`);
  await page.focus('.query-tokens button:nth-child(2)');
  await page.waitForSelector('.lit');
  await picture(page, pictures, `matches-desktop-${scheme}-${language}`);
  if (views === 'all') {
    expect(await findings(page)).toEqual([]);
    await page.click('#tab-map');
    await page.waitForSelector('.point');
    expect(await findings(page)).toEqual([]);
    await picture(page, pictures, `map-desktop-${scheme}-${language}`);
    await page.click('#tab-tokens');
    expect(await findings(page)).toEqual([]);
    await page.click('.panel .primary');
    await page.waitForSelector('.chips');
    expect(await findings(page)).toEqual([]);
    await picture(page, pictures, `tokens-desktop-${scheme}-${language}`);
  }
  expect(faults).toEqual([]);
  await close();
});

test('all that the page loads is below 200 kB', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(`${service.url}/`);
  await page.waitForSelector('.live');
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(100_000);
  await context.close();
});
