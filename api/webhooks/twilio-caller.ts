/** Who is calling: the organization whose Twilio account signed the request. */
import type { FastifyRequest } from 'fastify';
import { organizationByAccount } from '../../db/organizations.ts';
import { isSignedByTwilio } from '../../twilio/signature.ts';
import type { App } from '../deps.ts';
import { forbidden } from '../problems.ts';

type TwilioForm = Record<string, string>;

/** How long a token is remembered: after it was changed, webhooks signed with the old one pass for this long. */
const rememberMs = 30_000;

interface Account {
  organizationId: string;
  authToken: string;
  until: number;
}

/**
 * Checks signatures, remembering tokens for a while.
 *
 * The account named in the form only chooses the token; nobody can sign for an account without its token.
 *
 * @returns a function that answers the organization, or throws a 403
 */
export function twilioCallers(app: App): (request: FastifyRequest) => Promise<string> {
  const { database, secrets, publicUrl } = app.deps;
  const accounts = new Map<string, Account>();

  const accountOf = async (accountSid: string): Promise<Account | null> => {
    const known = accounts.get(accountSid);
    if (known && known.until > performance.now()) return known;
    accounts.delete(accountSid);
    const row = await organizationByAccount(database.system, accountSid);
    if (!row?.auth_token) return null;
    const account = {
      organizationId: row.id,
      authToken: secrets.decrypt(row.auth_token),
      until: performance.now() + rememberMs,
    };
    accounts.set(accountSid, account);
    return account;
  };

  return async (request) => {
    const form = (request.body ?? {}) as TwilioForm;
    const accountSid = form['AccountSid'];
    const account = accountSid && /^AC[0-9a-f]{32}$/.test(accountSid) ? await accountOf(accountSid) : null;
    const signature = request.headers['x-twilio-signature'];
    const signed =
      account && isSignedByTwilio(account.authToken, String(signature ?? ''), publicUrl + request.url, form);
    if (!signed) {
      throw forbidden('The signature is not that of this account: check PUBLIC_URL and the auth token on record.');
    }
    return account.organizationId;
  };
}
