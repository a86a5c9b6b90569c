/** What is refused of a start, and of the plan that follows from it. */
import { NeverOpensError, TooManyBatchesError } from '../../domain/mass-sms/batches.ts';
import { refused } from '../shared/problems.ts';

/** A start this far back still counts as now: clocks differ, and people take a moment. */
const pastToleranceMs = 60_000;
/** A start further ahead is a mistake. */
const mostYears = 2;

/** @throws {Problem} 422 for a start that has passed, or is years away */
export function requireStart(instant: Date | undefined, now: Date): void {
  if (!instant) return;
  if (instant.getTime() < now.getTime() - pastToleranceMs) {
    throw refused('start_in_the_past', `It is ${now.toISOString()} now: choose a later start, or leave it out.`);
  }
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + mostYears);
  if (instant <= latest) return;
  throw refused(
    'start_too_late',
    `A mass SMS can start up to two years ahead: choose a start before ${latest.toISOString()}.`,
  );
}

/** For `.catch`: what cannot be planned. @throws {Problem} 422 */
export function refusePlan(error: unknown): never {
  if (error instanceof NeverOpensError) throw refused('window_never_opens', error.message);
  if (error instanceof TooManyBatchesError) throw refused('too_many_batches', error.message);
  throw error;
}
