/** Where a postal code is: its state or province, and the zones it may be in. */
import { areas } from './postal-codes-data.ts';
import type { Area } from './regions.ts';

/** `350-352` is every prefix from the one to the other. */
function prefixesOf(text: string): string[] {
  return text.split(' ').flatMap((part) => {
    const [first, last] = part.split('-');
    if (last === undefined) return [first!];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) =>
      String(Number(first) + index).padStart(3, '0'),
    );
  });
}

const areaOfPrefix = new Map<string, Area>(
  areas.flatMap(([region, timeZones, prefixes]) => {
    const area = { region, timeZones: timeZones.split(' ') };
    return prefixesOf(prefixes).map((prefix) => [prefix, area] as const);
  }),
);

/** A ZIP code, also ZIP+4, or a Canadian one, also its first half only. */
const postalCode = /^(?:(\d{5})(?:-?\d{4})?|([A-Z]\d[A-Z])(?:[ -]?\d[A-Z]\d)?)$/;

/**
 * The area of a postal code of the United States or Canada; null for any other text, for a prefix that is not in use,
 * and for military addresses, which can be anywhere.
 */
export function areaOfPostalCode(text: string): Area | null {
  const [, zip, canadian] = postalCode.exec(text.trim().toUpperCase()) ?? [];
  const code = zip ?? canadian;
  if (code === undefined) return null;
  // The longest prefix that is known: few ZIP codes are an exception in their area, few parts of a province.
  return areaOfPrefix.get(code) ?? areaOfPrefix.get(code.slice(0, zip ? 3 : 1)) ?? null;
}
