/**
 * Commands that take a while: the second judges what the first has made of the state. One that was begun is obeyed to its
 * end, also when the workflow is cancelled meanwhile.
 */
import { CancellationScope, condition } from '@temporalio/workflow';

export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let isBusy = false;
  return async (work) => {
    // All who wait wake up at once.
    while (isBusy) await condition(() => !isBusy);
    isBusy = true;
    try {
      return await CancellationScope.nonCancellable(work);
    } finally {
      isBusy = false;
    }
  };
}
