/** Searching for a phone number to buy: whether the criteria go together, and what else to try when nothing is found. */
import { areaCodeOf, areaCodesOfRegion, countryOfAreaCode, nearbyAreaCodes, regionOf } from './area-codes.ts';
import { parsePostalCode, regionOfPostalCode, regionsOfPostalCode, territoryOfPostalCode } from '../postal-codes.ts';

/** Where numbers are searched for, and what it is called. */
export const countries = { US: 'the United States', CA: 'Canada' } as const;
export type Country = keyof typeof countries;
const isCountry = (country: string): country is Country => country in countries;

export interface NumberCriteria {
  areaCode?: string | undefined;
  /** State or province, two letters. */
  region?: string | undefined;
  postalCode?: string | undefined;
  /** Twilio's pattern: `*` one digit, `%` several, letters as on the keys. */
  contains?: string | undefined;
}

export interface NumberQuery extends NumberCriteria {
  country: Country;
}

export interface Suggestion {
  /** What it differs in, for people. */
  reason: string;
  query: NumberQuery;
}

type Criterion = keyof NumberCriteria;
const names: Record<Criterion, string> = {
  areaCode: 'area code',
  region: 'region',
  postalCode: 'postal code',
  contains: 'pattern',
};

/** The country each criterion lies in; null for what lies in none that we know. */
const countryOf: Partial<Record<Criterion, (value: string) => string | null>> = {
  areaCode: countryOfAreaCode,
  region: (region) => countryOfAreaCode(areaCodesOfRegion(region)[0] ?? ''),
  postalCode: (postalCode) => territoryOfPostalCode(postalCode) ?? parsePostalCode(postalCode)?.country ?? null,
};

const given = (criteria: NumberCriteria): [Criterion, string][] =>
  (Object.keys(names) as Criterion[]).flatMap((name) => {
    const value = criteria[name];
    return value === undefined ? [] : [[name, value] as [Criterion, string]];
  });

/** The country that the criteria themselves name, by the first of them that names one where numbers are sold. */
export const countryNamedBy = (criteria: NumberCriteria): Country | null =>
  given(criteria)
    .map(([name, value]) => countryOf[name]?.(value) ?? '')
    .find(isCountry) ?? null;

const unknown: Partial<Record<Criterion, (value: string) => string>> = {
  areaCode: (areaCode) =>
    areaCodeOf(`+1${areaCode}5550123`) === null
      ? 'belongs to no place in the United States or Canada: choose an area code that does, such as 415'
      : 'is not in use: choose another area code, such as 415',
  region: () => 'must be a state or province, such as CA or ON',
  postalCode: () => 'must be a ZIP code such as 94102 or a Canadian postal code such as M5H 2N2',
};

interface CriterionError {
  path: Criterion;
  message: string;
}

/** What does not exist, and what lies in another country. */
function errorsOfEach({ country, ...criteria }: NumberQuery): CriterionError[] {
  return given(criteria).flatMap(([name, value]) => {
    const its = countryOf[name]?.(value);
    if (its === undefined || its === country) return [];
    if (its === null) return [{ path: name, message: unknown[name]!(value) }];
    const remedy = isCountry(its)
      ? `is in ${countries[its]}: add country=${its} to search there`
      : `is in a territory (${its}), whose numbers are not sold here: choose another`;
    return [{ path: name, message: remedy }];
  });
}

/** Which two cannot be true together. A postal code that lies in no state we know goes with everything. */
function contradictions({ areaCode, region, postalCode }: NumberQuery): CriterionError[] {
  const around = postalCode === undefined ? [] : regionsOfPostalCode(postalCode);
  const serves = (its: string) => areaCode === undefined || areaCodesOfRegion(its).includes(areaCode);
  const errors: CriterionError[] = [];
  const add = (path: Criterion, what: string) => errors.push({ path, message: `${what}: leave one of the two out` });
  if (region !== undefined && !serves(region)) add('region', `area code ${areaCode} is not in the region ${region}`);
  if (around.length === 0) return errors;
  if (region !== undefined && !around.includes(region)) {
    add('postalCode', `the postal code ${postalCode} is not in the region ${region}`);
  }
  if (!around.some(serves)) {
    const where = around.join(' or ');
    add('postalCode', `the postal code ${postalCode} is in ${where}, which area code ${areaCode} does not serve`);
  }
  return errors;
}

/** What is wrong with the criteria: each for itself, or else two together. */
export function criteriaErrors(query: NumberQuery): { path: string; message: string }[] {
  const errors = errorsOfEach(query);
  return errors.length > 0 ? errors : contradictions(query);
}

/** Where a query looks, at its narrowest. */
function place({ areaCode, postalCode, region, country }: NumberQuery): string {
  if (areaCode !== undefined) return `in area code ${areaCode}`;
  if (postalCode !== undefined) return `at the postal code ${postalCode}`;
  return region === undefined ? `in ${countries[country]}` : `in the region ${region}`;
}

/** Those of the same place first, then the next ones. Region and postal code would name the old place. */
const nearby = ({ country, areaCode, contains }: NumberQuery, limit: number): Suggestion[] =>
  nearbyAreaCodes(areaCode ?? '', { limit }).map(({ areaCode: other, miles }) => ({
    reason:
      miles === 0
        ? `Area code ${other} serves the same place.`
        : `Area code ${other} is ${miles} ${miles === 1 ? 'mile' : 'miles'} away.`,
    query: { country, areaCode: other, contains },
  }));

function without(name: Criterion, query: NumberQuery): Suggestion[] {
  if (query[name] === undefined) return [];
  const rest: NumberQuery = { ...query, [name]: undefined };
  return [{ reason: `Leave the ${names[name]} out: there are numbers ${place(rest)}.`, query: rest }];
}

/** The postal code gives way to the state around it. */
function withoutPostalCode(query: NumberQuery): Suggestion[] {
  const { postalCode, areaCode, region } = query;
  if (postalCode === undefined) return [];
  const around = areaCode === undefined ? (region ?? regionOfPostalCode(postalCode) ?? undefined) : region;
  return without('postalCode', { ...query, region: around });
}

function wholeState({ country, areaCode, contains }: NumberQuery): Suggestion[] {
  const region = areaCode === undefined ? null : regionOf(areaCode);
  if (region === null) return [];
  const query = { country, region, contains };
  return [{ reason: `Leave the area code out: there are numbers ${place(query)}.`, query }];
}

const same = (a: NumberQuery, b: NumberQuery): boolean =>
  a.country === b.country && (Object.keys(names) as Criterion[]).every((name) => a[name] === b[name]);

/**
 * What to try in place of a query that finds nothing, nearest first: other area codes near it, then each criterion left
 * out in turn. Their reasons say that there are numbers, so they hold only for those that find some.
 */
export function alternatives(query: NumberQuery, limit: number): Suggestion[] {
  const wider = [
    ...withoutPostalCode(query),
    ...without('contains', query),
    ...without('region', query),
    ...wholeState(query),
  ];
  return [...nearby(query, Math.max(0, limit - wider.length)), ...wider]
    .filter(({ query: one }, index, all) => all.findIndex((other) => same(one, other.query)) === index)
    .slice(0, limit);
}

/** What is left to try when no alternative finds anything either; not known to find anything. */
export function lastResort(query: NumberQuery): Suggestion {
  const { country, ...criteria } = query;
  const left = given(criteria).map(([name]) => `the ${names[name]}`);
  const wasTried = alternatives(query, Infinity).some((one) => same(one.query, { country }));
  if (left.length > 0 && !wasTried) {
    const list = left.length > 1 ? `${left.slice(0, -1).join(', ')} and ${left.at(-1)}` : left[0];
    return { reason: `Leave ${list} out. Whether that finds numbers was not checked.`, query: { country } };
  }
  const other = country === 'US' ? 'CA' : 'US';
  return {
    reason: `Try again later, or search in ${countries[other]}. Whether that finds numbers was not checked.`,
    query: { country: other },
  };
}
