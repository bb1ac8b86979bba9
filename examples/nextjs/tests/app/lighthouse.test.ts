/** What does not depend on how fast the machine is. For the rest: `node bench/lighthouse.mjs`. */
import lighthouse from 'lighthouse';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHROMIUM_FLAGS } from '../support/browser';
import { CHROMIUM, MODELS } from '../support/paths';
import { freePort } from '../support/processes';
import { Scene } from './scene';

const scene = new Scene();
beforeAll(async () => {
  await scene.open();
  await scene.serve([MODELS.miniLm]);
  await scene.ready('all-MiniLM-L6-v2');
});
afterAll(() => scene.close());

const PAGES = ['/', '/?q=water', '/articles/en/home/dripping-tap'];

it.each(PAGES)('Lighthouse gives %s at least 95 for accessibility, good practice and being found', async (address) => {
  const port = await freePort();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [...CHROMIUM_FLAGS, `--remote-debugging-port=${port}`],
  });
  try {
    const result = await lighthouse(scene.url + address, {
      port,
      logLevel: 'error',
      onlyCategories: ['accessibility', 'best-practices', 'seo'],
    });
    const categories = Object.values(result?.lhr.categories ?? {});
    expect(categories).toHaveLength(3);
    const faults = Object.values(result?.lhr.audits ?? {}).filter(({ score }) => score !== null && score < 0.9);
    const said = faults.map(({ id, displayValue }) => `${id} ${displayValue ?? ''}`.trim()).join('; ');
    for (const { title, score } of categories) expect(score, `${title}: ${said}`).toBeGreaterThanOrEqual(0.95);
  } finally {
    await browser.close();
  }
});

it.each(PAGES)('%s loads less than 200 kB altogether', async (address) => {
  const page = await scene.page();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(address, { waitUntil: 'networkidle' });
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThan(200_000);
  await page.context().close();
});
