import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '@': import.meta.dirname } },
  test: {
    include: ['tests/**/*.test.ts'],
    // Of waits for what always comes: a model that loads, an index that is built, on a busy machine.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
