/** Prefixed UUIDv7 ids: sortable by the time they were made, and telling what they name. */
import { V7Generator } from 'uuidv7';

const generator = new V7Generator();

export const idPrefixes = {
  organization: 'org',
  user: 'usr',
  key: 'key',
  contact: 'con',
  list: 'lst',
  ledgerEntry: 'led',
  optOut: 'opt',
  audit: 'aud',
  audience: 'adn',
  pool: 'pol',
  number: 'num',
  numberJob: 'njb',
  purchase: 'npu',
  message: 'msg',
  massSms: 'mms',
  registration: 'reg',
  declaration: 'dcl',
  evidence: 'evd',
  timelineEntry: 'tml',
  fee: 'fee',
  email: 'eml',
  conversation: 'cnv',
  optInRequest: 'oir',
  notification: 'ntf',
  template: 'tpl',
  marketingCampaign: 'mkc',
  talentNetwork: 'tln',
  careerSite: 'crs',
  page: 'pag',
  job: 'job',
  webhookEndpoint: 'whe',
  webhookDelivery: 'whd',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** A new id such as `con_019a…`, made at `at` on the product's clock. */
export function newId(kind: IdKind, at: Date): string {
  return `${idPrefixes[kind]}_${generator.generateOrResetCore(at.getTime(), 10_000).toString()}`;
}

/** Ids of a kind that are made at this moment or later are not less than this. */
export function earliestId(kind: IdKind, at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${idPrefixes[kind]}_${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/**
 * The range of message ids made in the millisecond `at`: `from` inclusive, `to` exclusive.
 * Messages made by one statement share it; naming it lets Postgres look at one partition only.
 */
export function messageIdsMadeAt(at: Date): { from: string; to: string } {
  return { from: earliestId('message', at), to: earliestId('message', new Date(at.getTime() + 1)) };
}
