/** The workflows as the worker runs them, once per test file. */
import { DefaultLogger, Runtime, type WorkflowBundle } from '@temporalio/worker';
import { workflowBundle as bundleOf } from '../../worker/workflow-bundle.ts';

const logger = new DefaultLogger('ERROR');
// Workers that replay, and failures that tests play, are not worth a line each.
Runtime.install({ logger });

let bundle: Promise<WorkflowBundle> | undefined;

export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleOf(logger);
  return bundle;
}
