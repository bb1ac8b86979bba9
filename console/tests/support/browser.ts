/**
 * A headless Chromium, and pages that keep account of what must not happen in them.
 * CHROMIUM names another browser than Debian's.
 */
import { mkdirSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
export const chromiumFlags: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });

/** What a page did that a person would never see: each a sentence. */
export interface Watched {
  readonly page: Page;
  /** Errors of the console and of scripts, violations of the policy, requests to other hosts. */
  readonly faults: string[];
  close(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Console errors that belong to the test: those of answers that are errors, say. */
  readonly expected?: RegExp;
}

/** A new page with nothing remembered. `url` is the only origin that it may ask. */
export async function open(browser: Browser, url: string, options: OpenOptions = {}): Promise<Watched> {
  const { expected, ...rest } = options;
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...rest });
  const page = await context.newPage();
  const faults: string[] = [];
  const origin = new URL(url).origin;
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected?.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.protocol !== 'data:' && to.origin !== origin) faults.push(`asked ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} by ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return { page, faults, close: () => context.close() };
}

/** Puts a picture of the whole page into `folder`, for people to look at. */
export async function picture(page: Page, folder: URL, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: new URL(`${name}.png`, folder).pathname, fullPage: true, animations: 'disabled' });
}
