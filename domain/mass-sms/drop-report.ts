/** What was dropped of a batch, in words and figures for the person who has to decide what becomes of the rest (F6). */
import type { DropVerdict } from './drop-rate.ts';
import { blamelessCodes, carrierOf, expiredCode, optedOutCode } from '../error-codes.ts';
import { errorInWords } from '../error-reasons.ts';

export interface CodeCount {
  /** Twilio's, or null where it gave none. */
  code: number | null;
  count: number;
}

export interface AreaCount {
  areaCode: string;
  attempted: number;
  dropped: number;
}

/** What is told of the drops: Twilio's reports name no carrier, only some of its codes do. */
export interface Drops {
  attempted: number;
  dropped: number;
  /** Most frequent first. */
  codes: { code: number | null; count: number; reason: string; counted: boolean }[];
  /** Those that codes name. */
  carriers: string[];
  /** Where more than twice the share of all is dropped. */
  areaCodes: AreaCount[];
}

/** Of fewer messages to an area code a share says nothing. */
const leastOfArea = 20;
const mostAreas = 5;

const isCounted = (code: number | null): boolean => code === null || !blamelessCodes.includes(code);

export function dropsOf(codes: readonly CodeCount[], areas: readonly AreaCount[]): Drops {
  const attempted = areas.reduce((sum, area) => sum + area.attempted, 0);
  const dropped = areas.reduce((sum, area) => sum + area.dropped, 0);
  const carriers = codes.flatMap(({ code }) => (code === null ? [] : (carrierOf(code) ?? [])));
  const share = (area: AreaCount): number => area.dropped / area.attempted;
  return {
    attempted,
    dropped,
    codes: codes.map(({ code, count }) => ({
      code,
      count,
      reason: code === null ? 'Twilio gave no reason.' : errorInWords(code),
      counted: isCounted(code),
    })),
    carriers: [...new Set(carriers)],
    areaCodes: areas
      .filter((area) => area.attempted >= leastOfArea && share(area) > (2 * dropped) / attempted)
      .toSorted((a, b) => share(b) - share(a) || b.dropped - a.dropped)
      .slice(0, mostAreas),
  };
}

const written = (count: number): string => count.toLocaleString('en-US');

/** The cause as people read it. */
export function suspensionInWords(
  { rule, attempted, counted }: DropVerdict,
  { codes, carriers, areaCodes }: Drops,
): string {
  const what = rule === 'filtered' ? "were stopped by carriers' filters" : 'were not delivered';
  const percent = Math.round((1000 * counted) / attempted) / 10;
  const most = codes.find((one) => one.counted);
  const countOf = (code: number): number => codes.find((one) => one.code === code)?.count ?? 0;
  const [optedOut, expired] = [countOf(optedOutCode), countOf(expiredCode)];
  return [
    `${written(counted)} of ${written(attempted)} messages (${percent} %) ${what}.`,
    ...(most ? [`Most often (${written(most.count)}): ${most.code ?? 'no code'}. ${most.reason}`] : []),
    ...(carriers.length > 0 ? [`Carriers that are named: ${carriers.join(', ')}.`] : []),
    ...(areaCodes.length > 0 ? [`Worst to: ${areaCodes.map((area) => area.areaCode).join(', ')}.`] : []),
    ...(optedOut > 0 ? [`${written(optedOut)} more had opted out at Twilio, which your own list did not know.`] : []),
    ...(expired > 0 ? [`${written(expired)} more were still waiting at Twilio when the sending window closed.`] : []),
    'To send the rest as it is, resume with acknowledge: true; otherwise cancel, and correct the text or the list.',
  ].join(' ');
}
