/** `POST/GET /2010-04-01/Accounts.json`, `GET/POST /2010-04-01/Accounts/{Sid}.json`. */
import { invalidParameter, notFound, TwilioError, unauthorized } from '../http/errors.ts';
import { created, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer2010, slicePage } from '../http/paging.ts';
import { rfc2822 } from '../http/wire.ts';
import type { World } from '../world.ts';
import type { Account, AccountStatus } from './account.ts';

const MAX_NAME_LENGTH = 64;
const SUBRESOURCES = {
  available_phone_numbers: 'AvailablePhoneNumbers',
  incoming_phone_numbers: 'IncomingPhoneNumbers',
  addresses: 'Addresses',
  usage: 'Usage',
  messages: 'Messages',
  balance: 'Balance',
};

/** An account as Twilio writes it. */
function accountAnswer(account: Account): Record<string, unknown> {
  const base = `/2010-04-01/Accounts/${account.sid}`;
  return {
    sid: account.sid,
    auth_token: account.authToken,
    friendly_name: account.friendlyName,
    owner_account_sid: account.ownerSid,
    status: account.status,
    type: 'Full',
    date_created: rfc2822(account.createdAt),
    date_updated: rfc2822(account.updatedAt),
    subresource_uris: Object.fromEntries(
      Object.entries(SUBRESOURCES).map(([key, name]) => [key, `${base}/${name}.json`]),
    ),
    uri: `${base}.json`,
  };
}

function checkName(name: string | undefined): void {
  if (name !== undefined && name.length > MAX_NAME_LENGTH) {
    throw invalidParameter(`FriendlyName should be at most ${MAX_NAME_LENGTH} characters`);
  }
}

/** The operations of accounts. */
export function accountOperations(world: World): Operations {
  const { accounts, clock } = world;

  /** An account the caller may see: its own, or a subaccount of it. Closed accounts stay visible to the parent. */
  const visible = (call: Call): Account => {
    const account = accounts.all.get(call.params['Sid'] ?? '');
    if (account === undefined) throw notFound(call.path);
    if (account !== call.caller && account.ownerSid !== call.caller.sid) throw unauthorized();
    return account;
  };

  return {
    CreateAccount(call) {
      if (call.caller !== accounts.main) throw new TwilioError(403, 20003, 'A subaccount cannot create subaccounts');
      const { FriendlyName } = call.form as { FriendlyName?: string };
      checkName(FriendlyName);
      const now = clock.now();
      return created(
        accountAnswer(accounts.create(FriendlyName ?? `SubAccount Created at ${new Date(now).toISOString()}`, now)),
      );
    },

    ListAccount(call) {
      const { FriendlyName, Status } = call.query as { FriendlyName?: string; Status?: AccountStatus };
      const found = [...accounts.all.values()].filter(
        (account) =>
          (account === call.caller || account.ownerSid === call.caller.sid) &&
          (FriendlyName === undefined || account.friendlyName === FriendlyName) &&
          (Status === undefined || account.status === Status),
      );
      const page = slicePage(call, found);
      return ok(listAnswer2010(call, 'accounts', { ...page, items: page.items.map(accountAnswer) }));
    },

    FetchAccount: (call) => ok(accountAnswer(visible(call))),

    UpdateAccount(call) {
      const account = visible(call);
      const { FriendlyName, Status } = call.form as { FriendlyName?: string; Status?: AccountStatus };
      checkName(FriendlyName);
      if (Status !== undefined && Status !== account.status) {
        if (call.caller !== accounts.main || account === accounts.main) {
          throw new TwilioError(403, 20003, 'Only the parent account can change the status of a subaccount');
        }
        if (account.status === 'closed') throw new TwilioError(400, 20001, 'A closed account cannot be opened again');
        account.status = Status;
        if (Status === 'closed') world.releaseAccount(account);
      }
      account.friendlyName = FriendlyName ?? account.friendlyName;
      account.updatedAt = clock.now();
      return ok(accountAnswer(account));
    },
  };
}
