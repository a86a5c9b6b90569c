import { expect, test } from 'vitest';
import { countResults } from '../../launcher/support/vitest-run.ts';

const report = (changes: object) =>
  JSON.stringify({
    success: true,
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults: [{ status: 'passed', assertionResults: [{}] }],
    ...changes,
  });

test('passed, failed and skipped tests are counted', () => {
  expect(countResults(report({}), 0)).toEqual({ passed: 3, failed: 0, skipped: 2 });
  expect(countResults(report({ success: false, numFailedTests: 2 }), 1)).toEqual({ passed: 3, failed: 2, skipped: 2 });
});

test('a file that cannot be loaded is a failure', () => {
  const testResults = [{ status: 'failed', assertionResults: [] }];
  expect(countResults(report({ success: false, testResults }), 1).failed).toBe(1);
});

test('a run that fails without a failing test is a failure', () => {
  expect(countResults(report({}), 1).failed).toBe(1);
  expect(countResults(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});
