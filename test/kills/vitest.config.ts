import { defineConfig } from 'vitest/config';

/** Each file runs whole products and kills them; one file at a time, so that a kill meets its work and not another's. */
export default defineConfig({
  test: {
    include: ['test/kills/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    retry: 1,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/open-folder.ts'],
    setupFiles: ['test/support/leaks.ts'],
  },
});
