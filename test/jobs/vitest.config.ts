import { defineConfig } from 'vitest/config';

/** What needs whole products, servers that stop, or minutes: one file at a time. */
export default defineConfig({
  test: {
    include: ['test/jobs/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/open-folder.ts'],
    setupFiles: ['test/support/leaks.ts'],
  },
});
