/** All that the workflow of phone numbers has done in the world. */
import { createPurchaseActivities } from './buy.ts';
import type { NumberDeps } from './deps.ts';
import { createJobActivities } from './jobs.ts';
import { createReleaseActivities } from './release.ts';

export const createNumberActivities = (deps: NumberDeps) => ({
  ...createJobActivities(deps),
  ...createPurchaseActivities(deps),
  ...createReleaseActivities(deps),
});

export type NumberActivities = ReturnType<typeof createNumberActivities>;
