import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/*.test.ts'],
    globalSetup: 'test/global.ts',
    maxWorkers: 2, // of two processors Vitest would leave one to itself
    // Generous, for a machine that does something else too; no test waits for it.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
