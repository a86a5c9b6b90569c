/** The workflows as the worker bundles them, once per test file. */
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: path.join(import.meta.dirname, '../../workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  return bundle;
}
