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
}

/** Looks accounts and their tokens up by SID, remembering them for a while; null for what is no account of ours. */
export function twilioAccounts({ deps }: App): (accountSid: unknown) => Promise<Account | null> {
  const { database, secrets } = deps;
  const accounts = new Map<string, Account & { until: number }>();

  return async (accountSid) => {
    if (typeof accountSid !== 'string' || !/^AC[0-9a-f]{32}$/.test(accountSid)) return null;
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
}

/** 403: not signed by the account that the request names. */
export const notSigned = () =>
  forbidden('The signature is not that of this account: check PUBLIC_URL and the auth token on record.');

export const signatureOf = ({ headers }: FastifyRequest): string => String(headers['x-twilio-signature'] ?? '');

/**
 * Checks the signatures of form posts.
 *
 * The account named in the form only chooses the token; nobody can sign for an account without its token.
 *
 * @returns a function that answers the organization, or throws a 403
 */
export function twilioCallers(app: App): (request: FastifyRequest) => Promise<string> {
  const accountOf = twilioAccounts(app);
  return async (request) => {
    const form = (request.body ?? {}) as TwilioForm;
    const account = await accountOf(form['AccountSid']);
    const url = app.deps.publicUrl + request.url;
    if (!account || !isSignedByTwilio(account.authToken, signatureOf(request), url, form)) throw notSigned();
    return account.organizationId;
  };
}
