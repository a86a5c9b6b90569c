/** Commands that are sent again while the first is under way: none is obeyed twice. */
import { ApplicationFailure, WorkflowUpdateFailedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { nextTry } from '../../../api/temporal/updates.ts';
import { notFound } from '../registration/support.ts';

const refused = () => new WorkflowUpdateFailedError('no', ApplicationFailure.nonRetryable('no'));

test('an update that is turned away while a repetition waits for it leaves its id for the next try', async () => {
  // A validator's no is told to who waits for it, and forgotten.
  const answers = [refused(), notFound()];
  const looked: string[] = [];
  const handle = {
    getUpdateHandle: (updateId: string) => ({
      result: async () => {
        looked.push(updateId);
        throw answers.shift()!;
      },
    }),
  };
  expect(await nextTry(handle as never, 'key')).toBe('key');
  expect(looked).toEqual(['key', 'key']);
});
