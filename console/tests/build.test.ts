import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

test('web/console.html is what these sources build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'console-'));
  const root = fileURLToPath(new URL('..', import.meta.url));
  try {
    execFileSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'], {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production', CONSOLE_OUT: folder },
    });
    const built = readFileSync(join(folder, 'console.html'), 'utf8');
    const kept = readFileSync(join(root, '../web/console.html'), 'utf8');
    expect(built === kept, 'run `npm run build` in console/, and commit web/console.html').toBe(true);
    expect(gzipSync(built).length).toBeLessThan(60_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
