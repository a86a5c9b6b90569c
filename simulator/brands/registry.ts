/** What the registry does with brands: decides on them, and proves who is behind them by a mailed link. */
import type { Clock } from '../clock/clock.ts';
import type { EventStreams } from '../events/streams.ts';
import type { Behaviour } from '../faults.ts';
import { randomHex } from '../http/wire.ts';
import type { MailSink } from '../mail.ts';
import type { Owned } from '../owned.ts';
import type { TrustHub } from '../trusthub/trust-hub.ts';
import {
  brandEvent,
  isVerified,
  registrationError,
  type Brand,
  type BrandStatus,
  type IdentityLink,
  type IdentityStatus,
  type RegistrationError,
} from './brand.ts';

interface Context {
  clock: Clock;
  brands: Owned<Brand>;
  trustHub: TrustHub;
  events: EventStreams;
  /** Undefined where no mail is received. */
  mail: MailSink | undefined;
  behaviour: () => Behaviour;
  /** Base address of the simulator. */
  url: () => string;
}

export interface BrandDecision {
  status: BrandStatus;
  /** Of an approved brand; the company has to click unless it says otherwise. */
  identityStatus?: IdentityStatus | undefined;
  /** Also of an approved brand: Twilio lists errors there as well. */
  errors: RegistrationError[];
}

export const LINK_DAYS = 7;
const LINK_MS = LINK_DAYS * 86_400_000;
const LINK_EXPIRED = 21737;
/** Domain, expiry, delivery, time-out and code of the identity link: with one of these the link has failed. */
const isLinkError = ({ error_code }: RegistrationError) => error_code >= 21736 && error_code <= 21741;

export class BrandRegistry {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Takes a brand in, for the first time or again. In the automatic mode it is approved after `review.brandAfter`. */
  submit(brand: Brand): void {
    const { clock, behaviour } = this.#context;
    const { mode, brandAfter } = behaviour().review;
    const now = clock.now();
    Object.assign(brand, { status: 'PENDING', identityStatus: null, errors: [], link: null, updatedAt: now });
    brand.approvalAt = mode === 'auto' ? now + brandAfter * 1_000 : null;
    this.#awaitApproval(brand);
  }

  #awaitApproval(brand: Brand): void {
    const { approvalAt } = brand;
    if (approvalAt === null) return;
    this.#context.clock.at(approvalAt, () => {
      if (brand.approvalAt === approvalAt) this.decide(brand, { status: 'APPROVED', errors: [] });
    });
  }

  /** Decides on a brand, whatever it was before. */
  decide(brand: Brand, { status, identityStatus, errors }: BrandDecision): void {
    const before = brand.status;
    brand.approvalAt = null;
    brand.status = status;
    brand.errors = errors;
    brand.updatedAt = this.#context.clock.now();
    if (status !== 'APPROVED') {
      // A link that was sent proves nothing any more.
      brand.link = null;
      brand.identityStatus = identityStatus ?? (status === 'SUSPENDED' ? brand.identityStatus : null);
      if (status === 'FAILED') this.#emit(brand, 'brand-failure');
      return;
    }
    brand.tcrId ??= `B${randomHex().slice(0, 6).toUpperCase()}`;
    brand.identityStatus = identityStatus ?? 'UNVERIFIED';
    if (before !== 'APPROVED') this.#emit(brand, 'brand-registered');
    if (isVerified(brand)) {
      brand.link = null;
      this.#emit(brand, brand.identityStatus === 'VERIFIED' ? 'brand-verified' : 'brand-vetted-verified');
      return;
    }
    this.#emit(brand, 'brand-unverified');
    if (errors.some(isLinkError)) this.#failLink(brand);
    else this.sendLink(brand);
  }

  /** Mails a new link. In the automatic mode somebody clicks it after `review.clickAfter`. */
  sendLink(brand: Brand): void {
    const { clock, behaviour } = this.#context;
    const { mode, clickAfter } = behaviour().review;
    const now = clock.now();
    const clickAt = mode === 'auto' ? now + clickAfter * 1_000 : null;
    brand.link = { state: 'live', expiresAt: now + LINK_MS, clickAt };
    brand.errors = brand.errors.filter((error) => !isLinkError(error));
    brand.updatedAt = now;
    this.#mail(brand);
    this.#awaitLink(brand, brand.link);
  }

  #awaitLink(brand: Brand, link: IdentityLink): void {
    const { clock } = this.#context;
    clock.at(link.expiresAt, () => {
      if (brand.link !== link || link.state !== 'live') return;
      brand.errors.push(registrationError(LINK_EXPIRED, 'The link in the brand verification email has expired.'));
      this.#failLink(brand);
    });
    if (link.clickAt !== null) {
      clock.at(link.clickAt, () => {
        if (brand.link === link) this.click(brand);
      });
    }
  }

  /** Takes up what was under way when the brands were kept: approvals, clicks, and links that lapse. */
  resume(): void {
    for (const brand of this.#context.brands.all.values()) {
      this.#awaitApproval(brand);
      if (brand.link?.state === 'live') this.#awaitLink(brand, brand.link);
    }
  }

  /** Somebody clicks the last link. @returns false when it leads nowhere: never sent, used, or expired */
  click(brand: Brand): boolean {
    if (brand.link?.state !== 'live') return false;
    brand.link.state = 'clicked';
    brand.identityStatus = 'VERIFIED';
    brand.updatedAt = this.#context.clock.now();
    this.#emit(brand, 'email-2fa-clicked');
    this.#emit(brand, 'brand-verified');
    return true;
  }

  #failLink(brand: Brand): void {
    brand.link = { state: 'failed', expiresAt: brand.link?.expiresAt ?? 0, clickAt: null };
    brand.updatedAt = this.#context.clock.now();
    this.#emit(brand, 'brand-secondary-vetting-failure');
  }

  #emit(brand: Brand, name: string): void {
    this.#context.events.emit(brand.accountSid, brandEvent(brand, name));
  }

  #mail(brand: Brand): void {
    const { mail, trustHub, url } = this.#context;
    const profile = brand.customerProfileSid;
    const recipient =
      trustHub.attribute(brand.a2pProfileSid, 'us_a2p_messaging_profile_information', 'brand_contact_email') ??
      trustHub.attribute(profile, 'authorized_representative_1', 'email');
    if (mail === undefined || recipient === undefined) return;
    const company = trustHub.attribute(profile, 'customer_profile_business_information', 'business_name') ?? brand.sid;
    mail.deliver({
      from: 'noreply@auth.campaignregistry.com',
      to: [recipient],
      subject: `Verify your email address for ${company} within ${LINK_DAYS} days`,
      text: [
        `Your company ${company} has applied to send text messages.`,
        `Please verify that you speak for it within ${LINK_DAYS} days, by this link:`,
        '',
        `POST ${url()}/control/brands/${brand.sid}/click-link`,
      ].join('\n'),
    });
  }
}
