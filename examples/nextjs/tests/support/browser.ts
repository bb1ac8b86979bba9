import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';
import { CHROMIUM, SCREENSHOTS } from './paths';

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

export const CHROMIUM_FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

export async function launchBrowser(): Promise<Browser> {
  await mkdir(SCREENSHOTS, { recursive: true });
  return chromium.launch({
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS,
  });
}

export interface Look extends BrowserContextOptions {
  /** All that pages asked for. */
  requests?: string[];
}

export async function newPage(browser: Browser, baseURL: string, { requests, ...look }: Look = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL, viewport: DESKTOP, locale: 'en-GB', colorScheme: 'light', ...look });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  page.on('request', (request) => requests?.push(request.url()));
  return page;
}

export async function screenshot(page: Page, name: string, fullPage = false): Promise<void> {
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage, animations: 'disabled' });
}

/** What axe finds wrong, in words; colours, labels, roles, order of headings. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    const { axe: engine } = window as unknown as { axe: typeof axe };
    return engine.run(document, { resultTypes: ['violations'] });
  });
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Pixels by which the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
