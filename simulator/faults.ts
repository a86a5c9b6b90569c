/** What the twin does wrong on purpose: set with `PUT /control/behaviour`, shown by `GET /control/behaviour`. */
import { z } from 'zod';
import { areaCodeOf, PLACES } from './numbers/area-codes.ts';
import { isPossibleNumber } from './numbers/phone-number.ts';

const rate = z.number().min(0).max(1);
const days = (count: number) =>
  z
    .number()
    .min(0)
    .max(count * 86_400_000);
const seconds = z.number().min(0);
const code = z.number().int().min(10_000).max(99_999);

const callbacks = z.strictObject({
  /** From a change of status to its callback or event. */
  delayMs: days(7),
  /** Share of callbacks sent twice. */
  duplicateRate: rate,
  /** Callbacks leave in a random order. */
  shuffle: z.boolean(),
  /** Share of callbacks never sent. */
  dropRate: rate,
});

const review = z.strictObject({
  mode: z.enum(['auto', 'manual']),
  /** Seconds from the step before to the outcome. Profiles and trust products are approved in both modes. */
  profileAfter: seconds,
  brandAfter: seconds,
  clickAfter: seconds,
  campaignAfter: seconds,
  /** How many times a campaign is rejected first, or the rejections themselves. */
  campaignRejections: z.union([
    z.number().int().min(0),
    z.array(z.strictObject({ code, fields: z.array(z.string()).optional(), description: z.string().optional() })),
  ]),
});

const inventory = z
  .record(
    z.string().refine((text) => PLACES.has(text), 'should be an area code of the United States or Canada, such as 415'),
    z.union([z.number().int().min(0).max(100_000), z.array(z.string().refine(isPossibleNumber, 'should be E.164'))]),
  )
  .refine(
    (shelves) =>
      Object.entries(shelves).every(
        ([areaCode, numbers]) =>
          typeof numbers === 'number' || numbers.every((phoneNumber) => areaCodeOf(phoneNumber) === areaCode),
      ),
    'should list numbers under their own area code',
  );

const behaviour = z.strictObject({
  /** Added to every answer of Twilio's API, in real milliseconds. */
  latencyMs: days(1),
  /** Share of sent messages that end undelivered. */
  undeliveredRate: rate,
  /** Share of messages that fail instead of being sent. */
  failedRate: rate,
  /** The error codes of failed and undelivered messages: each equally likely, repeat one to weight it. */
  errorCodes: z.array(code).min(1, 'should name at least one code'),
  /** Share of requests answered 429 without being processed. */
  http429Rate: rate,
  /** Share of requests answered 500: half of them were processed, as with Twilio nobody knows which. */
  http500Rate: rate,
  /** Share of writing requests that are processed and whose connection is then cut. */
  dropResponseRate: rate,
  callbacks,
  /** Who decides on brands and campaigns, and when: the twin by itself (`auto`) or the control side. */
  review,
  /** Numbers on sale per area code: how many more than are taken, or which. An area code that is not named has plenty. */
  inventory,
  /** Share of purchases of a number that another customer of Twilio makes first: 21422, and nobody can have it any more. */
  soldBetween: rate,
  /** Numbers that a messaging service takes before it answers 21714. */
  poolLimit: z.number().int().min(0),
  /** How long a message waits in Twilio's queue before it leaves; longer than its validity period, and it fails with 30036. */
  queueMs: z.number().min(0),
  /** Whether services have Advanced Opt-Out: inbound webhooks of keywords then carry OptOutType. */
  advancedOptOut: z.boolean(),
  /**
   * `operationId`s whose requests are processed and then not answered, until the operation is taken off the list. With `#n`
   * only the nth request since the entry was made, with `@name` only those of the account of this friendly name.
   */
  holdAnswers: z.array(z.string()),
});

/** Every fault and switch; units and meanings are in the schema above and in docs/simulator.md. */
export type Behaviour = z.infer<typeof behaviour>;

/** A partial behaviour: what is left out stays as it is. */
export const behaviourChange = behaviour.partial().extend({
  callbacks: callbacks.partial().optional(),
  review: review.partial().optional(),
});
export type BehaviourChange = z.infer<typeof behaviourChange>;

/** Nothing goes wrong, and reviews wait to be decided. */
export const FAULTLESS: Readonly<Behaviour> = {
  latencyMs: 0,
  undeliveredRate: 0,
  failedRate: 0,
  errorCodes: [30003, 30005, 30006, 30007, 30008],
  http429Rate: 0,
  http500Rate: 0,
  dropResponseRate: 0,
  callbacks: { delayMs: 0, duplicateRate: 0, shuffle: false, dropRate: 0 },
  review: { mode: 'manual', profileAfter: 1, brandAfter: 2, clickAfter: 2, campaignAfter: 5, campaignRejections: 0 },
  inventory: {},
  soldBetween: 0,
  poolLimit: 400,
  queueMs: 0,
  advancedOptOut: false,
  holdAnswers: [],
};

/** A behaviour with a change merged in; `inventory` and lists are replaced as a whole. */
export function merged(behaviour: Behaviour, change: BehaviourChange): Behaviour {
  return {
    ...behaviour,
    ...given(change),
    callbacks: { ...behaviour.callbacks, ...given(change.callbacks ?? {}) },
    review: { ...behaviour.review, ...given(change.review ?? {}) },
  };
}

type Given<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

/** Without the properties that are undefined. */
function given<T extends object>(change: T): Given<T> {
  const copy = { ...change };
  for (const name in copy) if (copy[name] === undefined) delete copy[name];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop above is what the type says
  return copy as Given<T>;
}

/** True in `share` of the calls. */
export function chance(share: number): boolean {
  return share > 0 && Math.random() < share;
}

/** With `shuffle`, webhooks wait up to this long, so that later ones overtake earlier ones. Virtual milliseconds. */
const SHUFFLE_MS = 500;

/** When the copies of a webhook leave, in milliseconds from now: none when it is dropped, two when it is doubled. */
export function departures({ delayMs, duplicateRate, dropRate, shuffle }: Behaviour['callbacks']): number[] {
  if (chance(dropRate)) return [];
  const copies = chance(duplicateRate) ? 2 : 1;
  return Array.from({ length: copies }, () => delayMs + (shuffle ? Math.random() * SHUFFLE_MS : 0));
}

/** What is done to one request of Twilio's API. */
export type RequestFault = 'none' | 'refuse429' | 'fail500' | 'process500' | 'drop';

/**
 * Rolls the dice for a request.
 *
 * @param writes whether the request changes something; only then the connection is cut after processing, so that what is in doubt
 *   can still be looked up
 */
export function requestFault(behaviour: Behaviour, writes: boolean): RequestFault {
  if (chance(behaviour.http429Rate)) return 'refuse429';
  if (chance(behaviour.http500Rate)) return Math.random() < 0.5 ? 'fail500' : 'process500';
  if (writes && chance(behaviour.dropResponseRate)) return 'drop';
  return 'none';
}
