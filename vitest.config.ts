import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { filesWithoutTheirPrograms } from './test/support/client-programs.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/image/**',
      'test/kills/**',
      'test/jobs/**',
      '**/node_modules/**',
      ...filesWithoutTheirPrograms(),
    ],
    pool: 'forks',
    // Most tests wait for processes: one worker fewer than processors would leave half of two idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Real processes, servers and disks on two busy cores: what fails once and then holds is told as such (retry x1).
    retry: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/open-folder.ts', 'test/support/app-build.ts'],
    setupFiles: ['test/support/leaks.ts'],
  },
});
