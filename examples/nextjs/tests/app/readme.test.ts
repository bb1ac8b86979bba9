import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SearchEvent, Status } from '@/lib/types';
import { EXAMPLE, MODELS } from '../support/paths';
import { type Running, freePort, startDevelopment, startService } from '../support/processes';

const NAMES = ['README.md', 'README.ru.md'];

function read(name: string): string {
  return readFileSync(path.join(EXAMPLE, name), 'utf8');
}

/** The indented lines: commands, and an article as an example. */
function codeOf(name: string): string[] {
  return read(name)
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim());
}

const commands = (name: string) => codeOf(name).filter((line) => /^(npm|cp|curl|EMBEDDING|\.\/)/.test(line));

let directory: string;
let port: number;
let service: Running;
let development: Running;

// `npm install`, `npm run build`, `npm run start` and `npm test` are what brought us here.
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'nextjs-'));
  const servicePort = await freePort();
  port = await freePort();
  service = await startService(servicePort, [MODELS.tinyBgeM3]);
  development = await startDevelopment({
    PORT: String(port),
    EMBEDDING_SERVICE_URL: `http://127.0.0.1:${servicePort}`,
    INDEX_DIR: path.join(directory, 'index'),
  });
});
afterAll(async () => {
  await Promise.all([development?.stop(), service?.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

it('has the same commands in both languages', () => {
  expect(commands('README.ru.md')).toEqual(commands('README.md'));
});

it('names scripts, files and variables that are there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const line of commands('README.md')) {
    const [, script] = /npm (?:run )?(dev|build|start|test)/.exec(line) ?? [];
    if (script) expect(scripts).toHaveProperty(script);
  }
  for (const name of NAMES) {
    for (const [, file] of read(name).matchAll(/\]\(([^)#]+)\)/g)) expect(() => read(file ?? '')).not.toThrow();
    for (const [variable] of read(name).matchAll(/EMBEDDING_SERVICE_(URL|API_KEY)|CONTENT_DIR|INDEX_DIR/g)) {
      expect(read('.env.example')).toContain(`${variable}=`);
    }
  }
});

it('works as it says, with npm run dev and curl', async () => {
  const status = async () => (await (await fetch(`http://localhost:${port}/api/status`)).json()) as Status;
  for (let look = 0; look < 1_000 && (await status()).state !== 'ready'; look++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const page = await (await fetch(`http://localhost:${port}/`, { headers: { 'accept-language': 'ru' } })).text();
  expect(page).toContain('Поиск по смыслу');
  const line = commands('README.md').find((each) => each.startsWith('curl'))?.replace('localhost:3000', `localhost:${port}`);
  const { stdout } = await promisify(execFile)('sh', ['-c', `${line} --silent`]);
  const events = stdout.trim().split('\n').map((each) => JSON.parse(each) as SearchEvent);
  expect(events.map((event) => event.type === 'results' && [event.stage, event.hits.length])).toEqual([
    ['dense', 3],
    ['hybrid', 3],
    ['reranked', 3],
  ]);
});

it.each(NAMES)('shows in %s an article as they are', (name) => {
  const file = codeOf(name).find((line) => line.endsWith('.md'));
  const title = codeOf(name).find((line) => line.startsWith('# '));
  expect(read(file ?? '')).toContain(`${title}\n`);
});
