/** The workflows as the worker bundles them, once per test file. */
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const logger = new DefaultLogger('ERROR');
// Workers that replay, and failures that tests play, are not worth a line each.
Runtime.install({ logger });

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: path.join(import.meta.dirname, '../../workflows/index.ts'),
    logger,
  });
  return bundle;
}
