/** All that a registration's workflows have done in the world. */
import { createBrandActivities } from './brand.ts';
import { createCampaignActivities } from './campaign.ts';
import { createCompletionActivities } from './completion.ts';
import type { RegistrationDeps } from './deps.ts';
import { createProfileActivities } from './profiles.ts';
import { reportingWhatIsStuck } from './stuck.ts';
import { createSubaccountActivities } from './subaccount.ts';

export const createRegistrationActivities = (deps: RegistrationDeps) =>
  reportingWhatIsStuck(deps, {
    ...createSubaccountActivities(deps),
    ...createProfileActivities(deps),
    ...createBrandActivities(deps),
    ...createCampaignActivities(deps),
    ...createCompletionActivities(deps),
  });

export type RegistrationActivities = ReturnType<typeof createRegistrationActivities>;
