/** The main account and its subaccounts, and who may act on which. */
import { TwilioError, unauthorized } from '../http/errors.ts';
import { newSid, randomHex } from '../http/wire.ts';
import type { Product } from '../openapi/schema.ts';
import type { Kept } from '../persistence.ts';

export type AccountStatus = 'active' | 'suspended' | 'closed';

export interface Account {
  sid: string;
  authToken: string;
  friendlyName: string;
  status: AccountStatus;
  /** The main account; the main account owns itself. */
  ownerSid: string;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** Twilio's limit, after which creating answers 21480. */
const MAX_SUBACCOUNTS = 1_000;
/** `Authorization` headers remembered, so that a request costs one map look-up instead of a base64 decoding. */
const MAX_REMEMBERED_HEADERS = 5_000;

export class Accounts implements Kept {
  readonly main: Account;
  /** In order of creation. */
  readonly all = new Map<string, Account>();
  #headers = new Map<string, Account>();

  constructor(sid: string, authToken: string, now: number) {
    this.main = {
      sid,
      authToken,
      friendlyName: 'Main account',
      status: 'active',
      ownerSid: sid,
      createdAt: now,
      updatedAt: now,
    };
    this.all.set(sid, this.main);
  }

  /** @throws {TwilioError} 21480 beyond 1,000 subaccounts */
  create(friendlyName: string, now: number): Account {
    if (this.all.size > MAX_SUBACCOUNTS) throw new TwilioError(400, 21480, 'Maximum number of subaccounts reached');
    const account: Account = {
      sid: newSid('AC'),
      authToken: randomHex(),
      friendlyName,
      status: 'active',
      ownerSid: this.main.sid,
      createdAt: now,
      updatedAt: now,
    };
    this.all.set(account.sid, account);
    return account;
  }

  /** A suspended parent suspends its subaccounts. */
  isSuspended(account: Account): boolean {
    return account.status === 'suspended' || this.main.status === 'suspended';
  }

  /**
   * The account of HTTP Basic credentials: account SID and auth token.
   *
   * @throws {TwilioError} 401 / 20003 for wrong credentials and closed accounts
   */
  authenticate(header: string | undefined): Account {
    if (header === undefined) throw unauthorized();
    let account = this.#headers.get(header);
    if (account === undefined) {
      const [, encoded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header) ?? [];
      const [sid = '', token] = Buffer.from(encoded ?? '', 'base64')
        .toString('utf8')
        .split(':', 2);
      account = this.all.get(sid);
      if (account === undefined || account.authToken !== token) throw unauthorized();
      if (this.#headers.size >= MAX_REMEMBERED_HEADERS) this.#headers.clear();
      this.#headers.set(header, account);
    }
    if (account.status === 'closed') throw unauthorized();
    return account;
  }

  /**
   * The account a request acts on. Only the 2010 API names one in the path, and only there may a parent name a subaccount.
   *
   * @param caller whose credentials were given
   * @param named `AccountSid` of the path, undefined where the path has none
   * @param write whether the request changes something, which a suspended account may not
   * @throws {TwilioError} 401 / 20003 for another account, 401 / 20005 when it is suspended
   */
  actingOn(caller: Account, product: Product, named: string | undefined, write: boolean): Account {
    let account = caller;
    if (product === 'api' && named !== undefined && named !== caller.sid) {
      const other = this.all.get(named);
      if (other === undefined || other.ownerSid !== caller.sid || other.status === 'closed') throw unauthorized();
      account = other;
    }
    if (write && this.isSuspended(account)) {
      throw new TwilioError(401, 20005, `Account ${account.sid} is not active: it is suspended`);
    }
    return account;
  }

  toJSON(): Account[] {
    return [...this.all.values()];
  }

  /** The main account keeps the token it has: that one is given from outside. */
  restore(accounts: Account[]): void {
    const { main } = this;
    this.all.clear();
    this.#headers.clear();
    for (const account of accounts) {
      const own = account.sid === main.sid ? Object.assign(main, account, { authToken: main.authToken }) : account;
      this.all.set(own.sid, own);
    }
  }
}
