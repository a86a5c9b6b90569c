/** What Trust Hub holds, and who may see which bundle. */
import type { Account } from '../accounts/account.ts';
import { Owned } from '../owned.ts';
import { POLICIES, type Bundle, type BundleKind } from './bundle.ts';
import type { Item } from './items.ts';

export class TrustHub {
  readonly endUsers = new Owned<Item>();
  readonly documents = new Owned<Item>();
  readonly bundles = new Owned<Bundle>();

  /** @param main gets the one primary customer profile, which on Twilio is made and approved in the Console */
  constructor(main: Account, now: number) {
    this.bundles.add({
      // The same after every restart: a product that keeps the SID still finds it.
      sid: `BU${main.sid.slice(2)}`,
      accountSid: main.sid,
      kind: 'customerProfile',
      friendlyName: 'Primary customer profile',
      email: 'isv@example.com',
      policySid: POLICIES.primaryProfile,
      statusCallback: null,
      status: 'twilio-approved',
      errors: null,
      assignments: [],
      evaluations: [],
      review: null,
      createdAt: now,
      updatedAt: now,
    });
  }

  /** A bundle of an account and a kind. */
  bundle(kind: BundleKind, accountSid: string, sid: string | undefined): Bundle | undefined {
    const bundle = this.bundles.get(accountSid, sid);
    return bundle?.kind === kind ? bundle : undefined;
  }

  /** A bundle the account may assign: its own, or the approved primary profile of its parent. */
  assignable(account: Account, sid: string): Bundle | undefined {
    const bundle = this.bundles.all.get(sid);
    if (bundle === undefined || bundle.accountSid === account.sid) return bundle;
    return bundle.accountSid === account.ownerSid && isApprovedPrimary(bundle) ? bundle : undefined;
  }

  /** The end users and documents that are assigned to a bundle; deleted ones are gone. */
  assignedItems(bundle: Bundle): Item[] {
    return bundle.assignments.flatMap(
      ({ objectSid }) => this.endUsers.all.get(objectSid) ?? this.documents.all.get(objectSid) ?? [],
    );
  }

  assignedBundles(bundle: Bundle): Bundle[] {
    return bundle.assignments.flatMap(({ objectSid }) => this.bundles.all.get(objectSid) ?? []);
  }

  /** A text among the attributes of a bundle's item of some type; undefined when it is missing or empty. */
  attribute(bundleSid: string, type: string, name: string): string | undefined {
    const bundle = this.bundles.all.get(bundleSid);
    const item = bundle === undefined ? undefined : this.assignedItems(bundle).find((one) => one.type === type);
    const value = item?.attributes[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** Forgets all that an account has. */
  deleteAll(accountSid: string): void {
    // What is scheduled for a bundle that is gone does not happen.
    for (const bundle of this.bundles.list(accountSid)) bundle.review = null;
    for (const store of [this.endUsers, this.documents, this.bundles]) store.deleteAll(accountSid);
  }
}

export function isApprovedPrimary(bundle: Bundle): boolean {
  return bundle.policySid === POLICIES.primaryProfile && bundle.status === 'twilio-approved';
}
