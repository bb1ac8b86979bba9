import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { EXAMPLE, REPOSITORY } from '../support/paths';

const source = path.join(REPOSITORY, 'clients/typescript/embedding-client.ts');

// This folder can be copied elsewhere, where there is nothing to compare with.
it.skipIf(!existsSync(source))('has the client of clients/typescript, unchanged', () => {
  const copy = readFileSync(path.join(EXAMPLE, 'lib/embedding-client.ts'), 'utf8');
  expect(copy, 'cp ../../clients/typescript/embedding-client.ts lib/').toBe(readFileSync(source, 'utf8'));
});
