/** Which numbers a purchase may try, in which order. */
import { randomInt } from 'node:crypto';
import type { Twilio } from 'twilio';
import { countryOfAreaCode, nearbyAreaCodes } from '../../domain/numbers/area-codes.ts';
import { patiently } from '../../twilio/patience.ts';

/** As many as several purchases that look at the same moment can share without all reaching for the first. */
const perSearch = 30;
/** A list may be sold out from under us this often before the area code counts as dry. */
const searchesPerAreaCode = 3;
const nearbyAtMost = 10;

/** How long a search may be turned away as too busy before Temporal tries later. */
export const patienceMs = 15_000;

/** The area code and, where that is allowed, those near it, nearest first. */
export const areaCodesFor = (areaCode: string, { allowNearby }: { allowNearby: boolean }): string[] => [
  areaCode,
  ...(allowNearby ? nearbyAreaCodes(areaCode, { limit: nearbyAtMost }).map((near) => near.areaCode) : []),
];

/** Numbers on sale, E.164. Searching reserves none of them: any may be gone when it is bought. */
export async function* numbersOnSale(client: Twilio, areaCodes: readonly string[]): AsyncGenerator<string> {
  for (const areaCode of areaCodes) {
    const country = countryOfAreaCode(areaCode) ?? 'US';
    const tried = new Set<string>();
    for (let search = 0; search < searchesPerAreaCode; search += 1) {
      const found = await patiently(
        () =>
          client.availablePhoneNumbers(country).local.list({
            areaCode: Number(areaCode),
            smsEnabled: true,
            voiceEnabled: true,
            excludeAllAddressRequired: true,
            limit: perSearch,
          }),
        patienceMs,
      );
      const untried = found.map(({ phoneNumber }) => phoneNumber).filter((number) => !tried.has(number));
      if (untried.length === 0) break;
      const from = randomInt(untried.length);
      for (const number of [...untried.slice(from), ...untried.slice(0, from)]) {
        tried.add(number);
        yield number;
      }
    }
  }
}
