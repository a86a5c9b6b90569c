/** Who is calling: the organization whose Twilio account signed the request. */
import { setTimeout as sleep } from 'node:timers/promises';
import formbody from '@fastify/formbody';
import type { FastifyRequest } from 'fastify';
import { organizationByAccount } from '../../db/organizations/organizations.ts';
import { isSignedByTwilio } from '../../twilio/signature.ts';
import type { App } from '../deps.ts';
import { requireReadable } from '../plugins/input.ts';
import { forbidden } from '../shared/problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose account signed a form post under `/twilio`. */
    twilioOrganizationId: string;
  }
}

type TwilioForm = Record<string, string>;

/** How long a token is remembered: after it was changed, webhooks signed with the old one pass for this long. */
const rememberMs = 30_000;
/** How often a token that did not fit is read again, at most: forgers must not have us query at will. */
const reloadMs = 1_000;

interface Account {
  organizationId: string;
  authToken: string;
}

/** Says whether a request was signed with a token. */
type SignatureCheck = (authToken: string) => boolean;

/**
 * Looks accounts and their tokens up by SID, and remembers them for a while. A token that does not fit may have been
 * changed since: it is read once more before a request is refused, because Twilio does not repeat what got a 403, and an
 * opt-out would be lost. Requests that come within a second of the last reading wait for the next one, together.
 *
 * @returns a function that answers the account if the request was signed with its token; null if not, and for what is no
 * account of ours
 */
export function twilioAccounts({
  deps,
}: App): (accountSid: unknown, isSigned: SignatureCheck) => Promise<Account | null> {
  const { database, secrets } = deps;
  const accounts = new Map<string, Account & { readAt: number }>();
  const reading = new Map<string, Promise<Account | null>>();

  async function read(accountSid: string, inMs: number): Promise<Account | null> {
    if (inMs > 0) await sleep(inMs);
    const readAt = performance.now();
    const row = await organizationByAccount(database.system, accountSid);
    if (!row?.auth_token) {
      accounts.delete(accountSid);
      return null;
    }
    const account = { organizationId: row.id, authToken: secrets.decrypt(row.auth_token), readAt };
    accounts.set(accountSid, account);
    return account;
  }

  /** One reading of an account at a time, however many wait for it. */
  function readOnce(accountSid: string, inMs: number): Promise<Account | null> {
    const underWay = reading.get(accountSid);
    if (underWay) return underWay;
    const begun = read(accountSid, inMs).finally(() => reading.delete(accountSid));
    reading.set(accountSid, begun);
    return begun;
  }

  return async (accountSid, isSigned) => {
    if (typeof accountSid !== 'string' || !/^AC[0-9a-f]{32}$/.test(accountSid)) return null;
    const known = accounts.get(accountSid);
    const age = known ? performance.now() - known.readAt : Infinity;
    if (known && age < rememberMs && isSigned(known.authToken)) return known;
    const account = await readOnce(accountSid, Math.max(0, reloadMs - age));
    return account && isSigned(account.authToken) ? account : null;
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
function twilioCallers(app: App): (request: FastifyRequest) => Promise<string> {
  const accountOf = twilioAccounts(app);
  return async (request) => {
    const form = (request.body ?? {}) as TwilioForm;
    const url = app.deps.publicUrl + request.url;
    const account = await accountOf(form['AccountSid'], (token) =>
      isSignedByTwilio(token, signatureOf(request), url, form),
    );
    if (!account) throw notSigned();
    return account.organizationId;
  };
}

/** What Twilio never sends is read as nothing: it is not signed, and so refused with a 403 like the rest that is not. */
export function readTheRestAsNothing(app: App): void {
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
}

/**
 * Prepares a plugin for form posts that Twilio signs.
 *
 * @returns the `config` and the `preValidation` of its routes. The signature comes before everything that is said of the
 * fields: who has not signed learns nothing about them
 */
export async function acceptSignedForms(app: App) {
  app.removeAllContentTypeParsers();
  await app.register(formbody);
  readTheRestAsNothing(app);
  app.decorateRequest('twilioOrganizationId', '');
  const callerOf = twilioCallers(app);
  return {
    config: { access: 'public', isSigned: true } as const,
    preValidation: async (request: FastifyRequest): Promise<void> => {
      request.twilioOrganizationId = await callerOf(request);
      requireReadable(request);
      await app.deps.clock.sync(20);
    },
  };
}
