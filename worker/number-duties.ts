/** What is done about phone numbers although nobody asks: registering those that wait, and looking for orphans (B10). */
import { attachNumber } from '../activities/numbers/attach.ts';
import { checkAccount } from '../activities/numbers/check.ts';
import { accountOf, type NumberDeps } from '../activities/numbers/deps.ts';
import { accountsToCheck } from '../db/numbers/orphans.ts';
import { numbersToRegister, postponeRegistration } from '../db/numbers/registration.ts';
import type { Duty } from './sweep.ts';

const checkEveryMs = 3_600_000;
/** When numbers of an account are tried again that would not be asked, and of one whose answer was lost on the way. */
const afterRefusalMs = 60_000;
const afterSilenceMs = 10_000;

const isAnswer = (error: unknown): boolean => typeof (error as { status?: unknown }).status === 'number';

/** @param onError told what went wrong with one organization; the others are seen to all the same */
export function numberDuties(deps: NumberDeps, onError: (error: unknown) => void): Duty[] {
  const { database, clock } = deps;

  /** Bought when there was no service yet, adopted, or refused an hour ago. */
  const registerWaiting = async (): Promise<void> => {
    const failed = new Set<string>();
    for (const number of await numbersToRegister(database.system, clock.now())) {
      const { organization_id: organizationId, messagingServiceSid } = number;
      if (failed.has(organizationId)) continue;
      try {
        const { client } = await accountOf(deps, organizationId);
        await attachNumber(deps, client, { organizationId, number, messagingServiceSid });
      } catch (error) {
        // An account that cannot be asked must keep nobody else's numbers waiting, nor be asked for each of its own.
        failed.add(organizationId);
        const againAt = new Date(clock.now().getTime() + (isAnswer(error) ? afterRefusalMs : afterSilenceMs));
        await database.inOrganization(organizationId, (trx) => postponeRegistration(trx, organizationId, againAt));
        onError(error);
      }
    }
  };

  const checkAccounts = async (): Promise<void> => {
    const before = new Date(clock.now().getTime() - checkEveryMs);
    for (const organizationId of await accountsToCheck(database.system, { before, now: clock.now() })) {
      await checkAccount(deps, organizationId).catch(onError);
    }
  };

  return [
    { run: registerWaiting, everyMs: 5_000 },
    { run: checkAccounts, everyMs: 15_000 },
  ];
}
