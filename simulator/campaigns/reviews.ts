/** The review of campaigns, and what follows from it: the service may send, and its numbers are registered. */
import { registrationError, type RegistrationError } from '../brands/brand.ts';
import type { Clock } from '../clock/clock.ts';
import type { EventStreams } from '../events/streams.ts';
import type { Behaviour } from '../faults.ts';
import { randomHex } from '../http/wire.ts';
import type { MessagingService, MessagingServices } from '../messaging-services/service.ts';
import type { PhoneNumber, PhoneNumbers } from '../numbers/phone-number.ts';
import type { Owned } from '../owned.ts';
import { campaignEvent, type Campaign, type CampaignStatus } from './campaign.ts';

interface Context {
  clock: Clock;
  campaigns: Owned<Campaign>;
  phoneNumbers: PhoneNumbers;
  services: MessagingServices;
  events: EventStreams;
  behaviour: () => Behaviour;
}

/** Virtual milliseconds that carriers take to register a number of a verified campaign. */
const NUMBER_REGISTERED_AFTER_MS = 1_000;

/** What reviewers find, in turn, when only the number of rejections is given: all of it can be mended. */
const REJECTIONS: readonly RegistrationError[] = [
  registrationError(30909, 'The campaign has been rejected: its call to action could not be verified.', [
    'MESSAGE_FLOW',
  ]),
  registrationError(30886, 'The campaign has been rejected: its description is not sufficient.', [
    'USE_CASE_DESCRIPTION',
  ]),
  registrationError(30893, 'The campaign has been rejected: a sample message does not fit the use case.', [
    'SAMPLE_MESSAGE_1',
  ]),
  registrationError(30908, 'The campaign has been rejected: its privacy policy is not compliant.', [
    'PRIVACY_POLICY_URL',
  ]),
];

export class CampaignReviews {
  readonly #context: Context;
  /** Automatic rejections so far, by service: deleting a campaign and making it anew does not start over. */
  readonly #rejections = new Map<string, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Takes a campaign in, for the first time or again. In the automatic mode it is decided after `review.campaignAfter`. */
  submit(campaign: Campaign): void {
    const { clock, behaviour } = this.#context;
    const { mode, campaignAfter } = behaviour().review;
    const now = clock.now();
    Object.assign(campaign, { status: 'IN_PROGRESS', errors: [], updatedAt: now });
    campaign.decisionAt = mode === 'auto' ? now + campaignAfter * 1_000 : null;
    this.#emit(campaign, 'submitted');
    this.#await(campaign);
  }

  #await(campaign: Campaign): void {
    const { decisionAt } = campaign;
    if (decisionAt === null) return;
    this.#context.clock.at(decisionAt, () => {
      if (campaign.decisionAt === decisionAt) this.#decideAlone(campaign);
    });
  }

  /** Takes up what was under way when campaigns and numbers were kept. */
  resume(): void {
    for (const campaign of this.#context.campaigns.all.values()) this.#await(campaign);
    for (const number of this.#context.phoneNumbers.bySid.values()) this.#awaitRegistered(number);
  }

  #decideAlone(campaign: Campaign): void {
    const { campaignRejections: wanted } = this.#context.behaviour().review;
    const count = this.#rejections.get(campaign.serviceSid) ?? 0;
    if (count >= (typeof wanted === 'number' ? wanted : wanted.length)) {
      this.decide(campaign, 'VERIFIED', []);
      return;
    }
    this.#rejections.set(campaign.serviceSid, count + 1);
    const chosen = typeof wanted === 'number' ? undefined : wanted[count];
    const error =
      chosen === undefined
        ? REJECTIONS[count % REJECTIONS.length]
        : registrationError(chosen.code, chosen.description, chosen.fields);
    this.decide(campaign, 'FAILED', error === undefined ? [] : [error]);
  }

  /** Decides on a campaign, whatever it was before. */
  decide(campaign: Campaign, status: CampaignStatus, errors: RegistrationError[]): void {
    const before = campaign.status;
    campaign.decisionAt = null;
    campaign.status = status;
    campaign.errors = errors;
    campaign.updatedAt = this.#context.clock.now();
    const service = this.#context.services.all.get(campaign.serviceSid);
    if (service !== undefined) service.usAppToPersonRegistered = status === 'VERIFIED';
    if (status === 'VERIFIED') {
      campaign.campaignId ??= `C${randomHex().slice(0, 6).toUpperCase()}`;
      if (before === 'VERIFIED') return;
      this.#emit(campaign, 'approved');
      for (const number of service?.pool ?? []) this.#registerNumber(campaign, number);
    } else if (status === 'FAILED') {
      this.#emit(campaign, 'failure');
    }
  }

  /** The service may no longer send. */
  delete(campaign: Campaign): void {
    const { campaigns, clock, services } = this.#context;
    campaign.decisionAt = null;
    campaign.updatedAt = clock.now();
    campaigns.delete(campaign);
    const service = services.all.get(campaign.serviceSid);
    if (service !== undefined) service.usAppToPersonRegistered = false;
    this.#emit(campaign, 'deleted');
  }

  /** The campaign of a service; it has at most one. */
  of(service: MessagingService): Campaign | undefined {
    return this.#context.campaigns.list(service.accountSid).find(({ serviceSid }) => serviceSid === service.sid);
  }

  /** A number joined a service: with a verified campaign, carriers are told. */
  joined(service: MessagingService, number: PhoneNumber): void {
    if (!service.usAppToPersonRegistered) return;
    const campaign = this.of(service);
    if (campaign !== undefined) this.#registerNumber(campaign, number);
  }

  #registerNumber(campaign: Campaign, number: PhoneNumber): void {
    this.#tell(campaign, number, 'pending', 'pending_registration');
    number.registeredAt = this.#context.clock.now() + NUMBER_REGISTERED_AFTER_MS;
    this.#awaitRegistered(number);
  }

  #awaitRegistered(number: PhoneNumber): void {
    const { clock, services } = this.#context;
    const { registeredAt } = number;
    if (registeredAt === null) return;
    clock.at(registeredAt, () => {
      if (number.registeredAt !== registeredAt) return;
      number.registeredAt = null;
      const service = services.all.get(number.serviceSid ?? '');
      const campaign = service && this.of(service);
      if (campaign?.status === 'VERIFIED') this.#tell(campaign, number, 'successful', 'registered');
    });
  }

  #tell(campaign: Campaign, number: PhoneNumber, name: string, externalstatus: string): void {
    const { clock, events } = this.#context;
    events.emit(campaign.accountSid, {
      type: `number-registration.${name}`,
      source: number.sid,
      data: {
        phonenumbersid: number.sid,
        phonenumber: number.phoneNumber,
        messagingservicesid: campaign.serviceSid,
        campaignsid: campaign.eventSid,
        externalstatus,
        timestamp: clock.now(),
        updateddate: clock.now(),
      },
    });
  }

  /** Automatic rejections start over. */
  forgetRejections(): void {
    this.#rejections.clear();
  }

  #emit(campaign: Campaign, change: Parameters<typeof campaignEvent>[1]): void {
    this.#context.events.emit(campaign.accountSid, campaignEvent(campaign, change));
  }
}
