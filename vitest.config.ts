import { defineConfig } from 'vitest/config';

/** Whole products that are killed, and mostly waited for: two side by side leave each other alone. */
const whole = ['tests/faults/**/*.test.ts', 'tests/e2e/**/*.test.ts'];
/** Those of them that send as fast as they can: side by side they would only measure each other. */
const busy = ['tests/faults/{mass-sms,numbers,outbox}.test.ts', 'tests/e2e/mass-sms.test.ts'];

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
    maxWorkers: 3,
    // Once for the whole run, whatever projects take part in it.
    globalSetup: 'tests/harness/servers.ts',
    projects: [
      {
        test: {
          ...common,
          name: 'quick',
          include: ['tests/**/*.test.ts'],
          exclude: whole,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'patient',
          include: whole,
          exclude: busy,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: 'busy',
          include: busy,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
        },
      },
    ],
  },
});
