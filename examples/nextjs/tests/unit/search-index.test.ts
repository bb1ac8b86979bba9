import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Status } from '@/lib/types';
import { EXAMPLE, MODELS } from '../support/paths';
import { type Running, freePort, startService } from '../support/processes';

/** In place of PGlite, which does not start within Vitest: what the index asks of it, without searches. */
const store = vi.hoisted(() => {
  const hashes = new Map<string, string>();
  let identity: string | null = null;
  return {
    identity: async () => identity,
    reset: async (next: string) => void (hashes.clear(), (identity = next)),
    hashes: async () => new Map(hashes),
    remove: async (ids: string[]) => ids.forEach((id) => hashes.delete(id)),
    add: async (passages: { id: string; hash: string }[]) => passages.forEach(({ id, hash }) => hashes.set(id, hash)),
  };
});
vi.mock('@/lib/store', () => ({ Store: { open: async () => store } }));

const folder = mkdtempSync(path.join(tmpdir(), 'search-index-'));
let service: Running;
beforeAll(async () => {
  const port = await freePort();
  service = await startService(port, [MODELS.tinyBgeM3]);
  cpSync(path.join(EXAMPLE, 'content/en/home'), path.join(folder, 'content/en/home'), { recursive: true });
  vi.stubEnv('EMBEDDING_SERVICE_URL', `http://127.0.0.1:${port}`);
  vi.stubEnv('CONTENT_DIR', path.join(folder, 'content'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await service.stop();
  rmSync(folder, { recursive: true });
});

it('cuts and compares the articles when they change, not at every look', async () => {
  const { searchIndex } = await import('@/lib/search-index');
  const index = searchIndex();
  const ready = async (articles: number): Promise<void> => {
    let status: Status = await index.check();
    while (status.state !== 'ready' || status.articles !== articles) {
      await new Promise((resolve) => setImmediate(resolve)); // while it is built, `check` answers at once
      status = await index.check();
    }
  };
  await ready(6);
  const segmenter = vi.spyOn(Intl.Segmenter.prototype, 'segment');
  const hashes = vi.spyOn(store, 'hashes');
  const looks = [await index.check(), await index.check(), await index.check()];
  expect(looks.every(({ state }) => state === 'ready')).toBe(true);
  expect(segmenter).not.toHaveBeenCalled();
  expect(hashes).not.toHaveBeenCalled();
  writeFileSync(path.join(folder, 'content/en/home/tea.md'), '# Making tea\n\nWater boils first.\n');
  await ready(7);
  expect(segmenter).toHaveBeenCalled();
});
