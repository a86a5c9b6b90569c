import { defineConfig } from 'vitest/config';

/** Whole products that are crashed and restarted: side by side they would only measure each other. */
const heavy = ['tests/faults/**/*.test.ts', 'tests/e2e/**/*.test.ts'];

const common = {
  // Worker threads crash with Temporal's native core.
  pool: 'forks',
  hookTimeout: 120_000,
  testTimeout: 60_000,
  setupFiles: 'tests/harness/seeded.ts',
} as const;

export default defineConfig({
  test: {
    ...common,
    maxWorkers: 2,
    // Once for the whole run, whatever projects take part in it.
    globalSetup: 'tests/harness/servers.ts',
    projects: [
      {
        test: {
          ...common,
          name: 'quick',
          include: ['tests/**/*.test.ts'],
          exclude: heavy,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'heavy',
          include: heavy,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
        },
      },
    ],
  },
});
