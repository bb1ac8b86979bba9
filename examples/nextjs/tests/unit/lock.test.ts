import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { lockDirectory } from '@/lib/lock';

let directory: string;
beforeEach(() => {
  directory = path.join(mkdtempSync(path.join(tmpdir(), 'lock-')), 'index');
});

it('may be taken again by the same process', async () => {
  await lockDirectory(directory);
  await lockDirectory(directory);
  expect(readFileSync(`${directory}.lock`, 'utf8')).toBe(String(process.pid));
});

it('is refused while another process has it, and says which', async () => {
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  writeFileSync(`${directory}.lock`, String(other.pid));
  await expect(lockDirectory(directory)).rejects.toThrow(`in use by process ${other.pid}`);
  other.stdin.end();
  await once(other, 'exit');
  await lockDirectory(directory);
});

it('is taken from a file that says nothing', async () => {
  writeFileSync(`${directory}.lock`, '');
  await lockDirectory(directory);
});
