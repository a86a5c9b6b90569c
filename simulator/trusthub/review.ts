/** Twilio's review of profiles and trust products: it approves by itself, unless the control side decides. */
import type { Accounts } from '../accounts/account.ts';
import type { Clock } from '../clock/clock.ts';
import { departures, type Behaviour } from '../faults.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Bundle, BundleStatus } from './bundle.ts';
import type { TrustHub } from './trust-hub.ts';

interface Context {
  accounts: Accounts;
  clock: Clock;
  trustHub: TrustHub;
  webhooks: Webhooks;
  behaviour: () => Behaviour;
}

export class BundleReview {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Submits a bundle: it is in review after half of `review.profileAfter`, and approved after all of it. */
  submit(bundle: Bundle): void {
    const { clock, behaviour } = this.#context;
    bundle.errors = null;
    this.#change(bundle, 'pending-review');
    const now = clock.now();
    const after = behaviour().review.profileAfter * 1_000;
    bundle.review = { startsAt: now + after / 2, endsAt: now + after };
    this.#await(bundle);
  }

  #await(bundle: Bundle): void {
    const { clock } = this.#context;
    const { review } = bundle;
    if (review === null) return;
    clock.at(review.startsAt, () => {
      if (bundle.review === review && bundle.status === 'pending-review') this.#change(bundle, 'in-review');
    });
    clock.at(review.endsAt, () => {
      if (bundle.review === review) this.decide(bundle, 'twilio-approved', null);
    });
  }

  /** Takes up the reviews that were under way when the bundles were kept. */
  resume(): void {
    for (const bundle of this.#context.trustHub.bundles.all.values()) this.#await(bundle);
  }

  /** Takes a bundle back, or decides on it. */
  decide(bundle: Bundle, status: BundleStatus, errors: { code: number }[] | null): void {
    bundle.review = null;
    bundle.errors = errors;
    this.#change(bundle, status);
  }

  #change(bundle: Bundle, status: BundleStatus): void {
    const before = bundle.status;
    bundle.status = status;
    bundle.updatedAt = this.#context.clock.now();
    // Twilio does not tell this one change.
    if (before !== status && status !== 'in-review') this.#tell(bundle);
  }

  #tell(bundle: Bundle): void {
    const { accounts, clock, webhooks, behaviour } = this.#context;
    const account = accounts.all.get(bundle.accountSid);
    const url = bundle.statusCallback;
    if (url === null || url === '' || account === undefined) return;
    const reasons = bundle.errors?.map(({ code }) => `Error ${code}`) ?? [];
    const webhook = {
      url,
      method: 'POST' as const,
      fields: [
        ['AccountSid', bundle.accountSid],
        ['BundleSid', bundle.sid],
        ['Status', bundle.status],
        ['FailureReason', reasons.join('; ')],
      ] satisfies [string, string][],
      authToken: account.authToken,
    };
    for (const delay of departures(behaviour().callbacks)) {
      if (delay > 0) clock.at(clock.now() + delay, () => void webhooks.send(webhook));
      else void webhooks.send(webhook);
    }
  }
}
