import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, open, picture } from './support/browser';
import { models, pictures, start } from './support/service';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), 'console-'));
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

// What browsers log by themselves of answers that are errors, and of none.
const refused = /status of (401|429|503)/;
const away = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|status of 503/;

test('a key is asked for; a wrong one is told so, the right one opens the page, and it goes with the tab', async () => {
  const service = await start(['--model', models.tinyBgeM3, '--api-key', 's3cret']);
  const { page, faults, close } = await open(browser, `${service.url}/`, { expected: refused });
  await page.waitForSelector('.key');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('key');
  expect(await page.$('.key .error')).toBeNull();
  // No header can carry that one, so that nobody is asked.
  await page.fill('#key', 'ключ');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.key .error');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await page.fill('#key', 'wrong');
    const answered = page.waitForResponse((response) => response.status() === 401);
    await page.keyboard.press('Enter');
    await answered;
    await page.waitForSelector('.key .error');
  }
  expect(await page.textContent('.key .error')).toContain('does not know this key');
  await picture(page, pictures, 'key-wrong');
  await page.fill('#key', 's3cret');
  await page.click('.key .primary');
  await page.waitForSelector('.pill.is-ready');
  await page.click('.samples [lang=en]');
  await page.waitForSelector('.heat td');
  await page.click('.snippet summary');
  const code = await page.textContent('.snippet code');
  expect(code).toContain('EMBEDDING_SERVICE_API_KEY');
  expect(code).not.toContain('s3cret');
  await page.reload();
  await page.waitForSelector('.pill.is-ready');
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('s3cret');
  await page.click('nav button');
  await page.waitForSelector('.key');
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('s3cret');
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('a model that is on its way is shown with its progress, and used once it is there', async () => {
  mkdirSync(join(folder, 'hub', 'org'), { recursive: true });
  symlinkSync(models.tinyBgeM3, join(folder, 'hub', 'org', 'tiny'));
  const hub = spawn(
    'python3',
    [
      fileURLToPath(new URL('../../tests/hub/fake_hub.py', import.meta.url)),
      join(folder, 'hub'),
      join(folder, 'hub.log'),
      JSON.stringify({ stall: { 'model.safetensors': 1_000_000, 'pytorch_model.bin': 1_000_000 } }),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const [line] = (await once(hub.stdout, 'data')) as [Buffer];
  const port = await freePort();
  const loading = await start(['--model', 'org/tiny'], {
    port,
    loading: true,
    env: { HF_ENDPOINT: `http://127.0.0.1:${Number(line.toString())}`, HF_HUB_CACHE: join(folder, 'cache'), HF_HUB_OFFLINE: '0' },
  });
  const { page, faults, close } = await open(browser, `${loading.url}/`, { expected: away });
  // The files before it are small, and may be seen on their way too.
  await page.waitForSelector('.notice:has-text("model.safetensors") progress[value], .notice:has-text("pytorch_model.bin") progress[value]');
  expect(await page.textContent('.notice')).toMatch(/org\/tiny.*Downloading (model\.safetensors|pytorch_model\.bin).*[\d.]+ [kM]B of [\d.]+ [kM]B/s);
  expect(await page.isDisabled('.editor .primary')).toBe(true);
  await picture(page, pictures, 'loading');
  await loading.stop();
  hub.stdin.end();
  await once(hub, 'exit');

  const service = await start(['--model', models.tinyBgeM3], { port });
  await page.waitForSelector('.pill.is-ready');
  expect(await page.$('.notice')).toBeNull();
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('a server that goes away is missed, and found again with what it has then', async () => {
  const port = await freePort();
  const first = await start(['--model', models.tinyBgeM3], { port });
  const { page, faults, close } = await open(browser, `${first.url}/`, { expected: away });
  await page.waitForSelector('.pill.is-ready');
  await page.fill('#texts', 'one\ntwo\nthree');
  await first.stop();
  await page.waitForSelector('.notice.bad');
  expect(await page.textContent('.notice')).toContain(first.url);
  expect(await page.textContent('.pill')).toBe('No answer');
  expect(await page.isDisabled('.editor .primary')).toBe(true);
  await picture(page, pictures, 'gone');
  const second = await start(['--model', models.miniLm], { port });
  await page.waitForSelector('.pill.is-ready');
  expect(await page.textContent('.models')).toContain('all-MiniLM-L6-v2');
  expect(await page.inputValue('#texts')).toBe('one\ntwo\nthree');
  await page.click('.editor .primary');
  await page.waitForSelector('.heat td');
  await picture(page, pictures, 'one-model');
  expect(faults).toEqual([]);
  await close();
  await second.stop();
});

test('a server that accepts and never answers is missed too, and found when it goes on', async () => {
  const service = await start(['--model', models.tinyBgeM3]);
  const { page, faults, close } = await open(browser, `${service.url}/`);
  await page.waitForSelector('.pill.is-ready');
  service.pause();
  try {
    await page.waitForSelector('.pill.is-gone');
    expect(await page.textContent('.notice.bad')).toContain(service.url);
  } finally {
    service.resume();
  }
  await page.waitForSelector('.pill.is-ready');
  expect(await page.$('.notice')).toBeNull();
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('a model that has failed is said to have, in the server’s words', async () => {
  const copy = join(folder, 'failing');
  cpSync(models.tinyBgeM3, copy, { recursive: true });
  const service = await start(['--model', copy]);
  const { page, faults, close } = await open(browser, `${service.url}/`, { expected: refused });
  await page.waitForSelector('.pill.is-ready');
  for (const name of ['model.safetensors', 'pytorch_model.bin']) {
    try {
      truncateSync(join(copy, name), 1000);
    } catch {
      continue; // The model has the other one.
    }
  }
  await page.fill('#texts', 'one\ntwo');
  await page.click('.editor .primary');
  await page.waitForSelector('.pill.is-unhealthy');
  await page.waitForSelector('.panel .error');
  const health = (await (await fetch(`${service.url}/health`)).json()) as { error: string };
  expect(await page.textContent('.notice .quote')).toBe(health.error);
  await picture(page, pictures, 'failed');
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('a request beyond the rate limit is said to be, and what was shown stays', async () => {
  const service = await start(['--model', models.tinyBgeM3, '--rate-limit-tokens', '1', '--rate-limit-burst', '100']);
  const { page, faults, close } = await open(browser, `${service.url}/`, { expected: refused });
  await page.waitForSelector('.pill.is-ready');
  await page.fill('#texts', 'one\ntwo');
  await page.click('.editor .primary');
  await page.waitForSelector('.heat td');
  // Somebody else at this address takes the tokens of many minutes.
  const much = JSON.stringify({ texts: ['many words '.repeat(500)] });
  expect((await fetch(`${service.url}/embed`, { method: 'POST', body: much })).status).toBe(200);
  await page.click('.editor .primary');
  await page.waitForSelector('.panel .error');
  expect(await page.textContent('.panel .error')).toMatch(/Too many requests at once\. Try again in [\d,]+ seconds?\./);
  expect(await page.$('.heat td')).not.toBeNull();
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('more lines than a request may have are searched and cut into tokens all the same', async () => {
  const limit = ['--max-client-batch-size', '2'];
  const service = await start(['--model', models.tinyBgeM3, '--model', models.tinyReranker, ...limit]);
  const { page, faults, close } = await open(browser, `${service.url}/`);
  await page.waitForSelector('.pill.is-ready');
  await page.fill('#texts', 'one\ntwo\nthree\nfour\nfive');
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') asked.push(`${request.url()} ${JSON.stringify(request.postDataJSON())}`);
  });
  await page.click('#tab-search');
  await page.fill('.search input', 'three');
  await page.click('.search .primary');
  await page.waitForSelector('.hits tbody tr');
  // The code is that of every request which was sent, none missing.
  await page.click('.snippet summary');
  const coded: string[] = [];
  for (const option of await page.$$eval('.snippet select option', (all) => all.map((one) => (one as HTMLOptionElement).value))) {
    await page.selectOption('.snippet select', option);
    const [, url, body] = /^curl '([^']*)'.* -d '(.*)'$/s.exec((await page.textContent('.snippet code'))!)!;
    coded.push(`${url} ${JSON.stringify(JSON.parse(body!))}`);
  }
  expect(coded.sort()).toEqual(asked.sort());
  expect(asked.length).toBeGreaterThan(6);
  expect(await page.textContent('.snippet .small')).toContain(`sent ${asked.length} requests`);
  await picture(page, pictures, 'requests');
  const shown = await page.$$eval('.hits tbody tr', (rows) =>
    rows.map((row) => [row.querySelector('.text')!.textContent, Number(row.querySelector('.rerank .figure-small')!.textContent)] as const),
  );
  expect(shown.map(([text]) => text!.trim()).sort()).toEqual(['five', 'four', 'one', 'three', 'two']);
  for (const [text, score] of shown) {
    const body = JSON.stringify({ query: 'three', documents: [text!.trim()] });
    const answer = await fetch(`${service.url}/v1/rerank`, { method: 'POST', body });
    const { results } = (await answer.json()) as { results: { relevance_score: number }[] };
    expect(score).toBeCloseTo(results[0]!.relevance_score, 2.5);
  }
  await page.click('#tab-tokens');
  await page.click('.panel .primary');
  await page.waitForSelector('.tokenized');
  expect(await page.$$('.tokenized > li')).toHaveLength(5);
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('a model of words alone is compared and searched by them, and has no map', async () => {
  const service = await start(['--model', models.tinySplade]);
  const { page, faults, close } = await open(browser, `${service.url}/`);
  await page.waitForSelector('.pill.is-ready');
  await page.click('.samples [lang=en]');
  await page.waitForSelector('.heat td');
  expect(await page.textContent('.heat h2')).toContain('sparse');
  await page.click('#tab-map');
  expect(await page.textContent('.panel')).toContain('takes dense vectors');
  await page.click('#tab-search');
  await page.click('.search .primary');
  await page.waitForSelector('.hits tbody .weighted');
  expect(await page.$$eval('.hits th.score', (heads) => heads.map((head) => head.className))).toEqual(['score sparse']);
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});

test('a server of a reranker alone has a search, and says why the rest is missing', async () => {
  const service = await start(['--model', models.tinyReranker]);
  const { page, faults, close } = await open(browser, `${service.url}/`);
  await page.waitForSelector('.pill.is-ready');
  await page.click('.samples [lang=en]');
  expect(await page.textContent('.panel')).toContain('No model that gives vectors');
  await page.click('#tab-search');
  await page.click('.search .primary');
  await page.waitForSelector('.hits tbody tr');
  expect(await page.$$('.hits th.score')).toHaveLength(1);
  expect(faults).toEqual([]);
  await close();
  await service.stop();
});
