/** Where a recipient may be, from what is known: every candidate, since it must be lawful at all of them. */
import { areaCodeOf } from '../numbers/area-codes.ts';
import { areasOfAreaCode } from './geography/area-codes.ts';
import { areaOfPostalCode } from './geography/postal-codes.ts';
import { regions, type Area, type Region } from './geography/regions.ts';
import { mainlandZones, usableZone } from './zones.ts';

export interface Recipient {
  /** E.164. */
  mobile: string | null;
  postalCode: string | null;
  /** IANA, as the recipient or an address stated it. */
  timeZone: string | null;
}

export interface Place {
  /** IANA. */
  timeZone: string;
  /** State or province, as in `TX` and `ON`; null where it is not known. */
  region: string | null;
  /** Null where that is not known either. */
  country: Region['country'] | null;
}

const unknown: readonly Place[] = mainlandZones.map((timeZone) => ({ timeZone, region: null, country: null }));

const countriesOfZone = new Map<string, Set<Region['country']>>();
for (const { country, timeZones } of regions.values())
  for (const zone of timeZones) countriesOfZone.set(zone, (countriesOfZone.get(zone) ?? new Set()).add(country));

const agree = (a: Area, b: Area): boolean =>
  a.region === b.region && a.timeZones.some((zone) => b.timeZones.includes(zone));

/**
 * The areas of a recipient. A postal code says more exactly what an area code agrees with: of Idaho, which half. Where
 * they differ both stand: people keep their number when they move, and their old address in our contacts.
 */
function areasOf({ mobile, postalCode }: Recipient): readonly Area[] {
  const byPostalCode = postalCode === null ? null : areaOfPostalCode(postalCode);
  const areaCode = mobile === null ? null : areaCodeOf(mobile);
  const byAreaCode = areaCode === null ? [] : areasOfAreaCode(areaCode);
  if (!byPostalCode) return byAreaCode;
  return byAreaCode.some((area) => agree(area, byPostalCode)) ? [byPostalCode] : [byPostalCode, ...byAreaCode];
}

/**
 * The candidate places of a recipient, never none.
 *
 * A stated zone says which it is of the zones that an area may be in. Where no area knows it, as after a move, it joins
 * them, with the country it lies in. One that is kept in neither country (`UTC`, which systems export where nobody said
 * anything) says nothing. A number without a place (toll-free, not of these countries, too new) and without postal code
 * or zone may be anywhere in the mainland of the United States.
 */
export function placesOf(recipient: Recipient): readonly Place[] {
  const stated = recipient.timeZone === null ? null : usableZone(recipient.timeZone);
  const areas = areasOf(recipient);
  const places = areas.flatMap(({ region, timeZones }): Place[] => {
    const { country } = regions.get(region)!;
    const zones = stated !== null && timeZones.includes(stated) ? [stated] : timeZones;
    return zones.map((timeZone) => ({ timeZone, region, country }));
  });
  if (stated !== null && !places.some(({ timeZone }) => timeZone === stated))
    for (const country of countriesOfZone.get(stated) ?? []) places.push({ timeZone: stated, region: null, country });
  return places.length > 0 ? places : unknown;
}

/**
 * The same for the same set of places, in whatever order: what answers about them can be kept by. `US-CA` is
 * California.
 */
export const placesKey = (places: readonly Place[]): string =>
  [...new Set(places.map(({ timeZone, region, country }) => `${country ?? '?'}-${region ?? '?'}@${timeZone}`))]
    .toSorted()
    .join(' ');
