/** Asking Twilio on behalf of a caller, and what its refusals mean for that caller. */
import { isNotFound } from '../../twilio/errors.ts';
import { type Problem, refused, unavailable } from './problems.ts';

export const notActive = (status: string): Problem =>
  refused('account_not_active', `Twilio says that this account is ${status}: settle it with Twilio, then try again.`);

/** What Twilio's answer means for whoever asked, or the error as it was. */
function meaningOf(error: unknown): unknown {
  const { status, code } = error as { status?: unknown; code?: unknown };
  if (code === 20005) return notActive('not active');
  if (status === 401) {
    return refused(
      'wrong_credentials',
      'Twilio does not accept this account SID and auth token together: check both, and attach them with PUT /v1/module/credentials.',
    );
  }
  // Whatever else Twilio says no to is about what was asked; only these go away by themselves.
  const isBusy = status === 408 || status === 429 || code === 20429;
  if (typeof status === 'number' && status >= 400 && status < 500 && !isBusy) {
    const known = typeof code === 'number' ? code : 0;
    const why = known === 0 ? '' : `: https://www.twilio.com/docs/api/errors/${known} says why`;
    return refused('refused_by_twilio', `Twilio refused to answer (${known})${why}.`, { code: known });
  }
  // Its own status, or the code of a connection that failed; anything else is a fault of ours.
  return typeof status === 'number' || typeof code === 'string' ? unavailable('Twilio') : error;
}

/**
 * @param missing what it means that there is no such thing
 * @throws {Problem} 422 for what Twilio refuses; 503 while it is away or too busy
 */
export async function ask<Answer>(question: Promise<Answer>, missing?: () => Problem): Promise<Answer> {
  try {
    return await question;
  } catch (error) {
    throw missing && isNotFound(error) ? missing() : meaningOf(error);
  }
}
