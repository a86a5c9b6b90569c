/** What goes together in a search for numbers, and what to try when it finds none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alternatives,
  countryNamedBy,
  criteriaErrors,
  lastResort,
  type NumberQuery,
} from '../../../domain/numbers/search.ts';

const reasons = (query: NumberQuery, limit = 6) => alternatives(query, limit).map(({ reason }) => reason);

describe('criteria', () => {
  it.each([
    [{ country: 'US', areaCode: '415', region: 'CA', postalCode: '94102', contains: '55' }, []],
    [{ country: 'CA', areaCode: '416', region: 'ON', postalCode: 'M5H 2N2' }, []],
    [{ country: 'US', areaCode: '800' }, ['areaCode belongs to no place']],
    [{ country: 'US', areaCode: '876' }, ['areaCode belongs to no place']],
    [{ country: 'US', areaCode: '232' }, ['areaCode is not in use']],
    [{ country: 'US', areaCode: '416' }, ['areaCode is in Canada: add country=CA']],
    [{ country: 'CA', areaCode: '415' }, ['areaCode is in the United States: add country=US']],
    [{ country: 'US', areaCode: '787' }, ['areaCode is in a territory (PR)']],
    [{ country: 'US', region: 'XX' }, ['region must be a state or province']],
    [{ country: 'US', region: 'GU' }, ['region is in a territory (GU)']],
    [{ country: 'CA', region: 'TX', postalCode: '94102' }, ['region is in the United', 'postalCode is in the United']],
    [{ country: 'US', postalCode: 'nowhere' }, ['postalCode must be a ZIP code']],
    [{ country: 'US', postalCode: '00901' }, ['postalCode is in a territory (PR)']],
    [{ country: 'US', postalCode: '96910' }, ['postalCode is in a territory (GU)']],
    [{ country: 'US', postalCode: '96799' }, ['postalCode is in a territory (AS)']],
    [{ country: 'US', postalCode: '96701', region: 'HI', areaCode: '808' }, []],
  ] as const)('%j: %j', (query, expected) => {
    const said = criteriaErrors(query).map(({ path, message }) => `${path} ${message}`);
    expect(said.map((text, index) => text.slice(0, expected[index]?.length))).toEqual(expected);
  });

  const together = (text: string) => `${text}: leave one of the two out`;
  it.each([
    [
      { country: 'US', areaCode: '415', region: 'TX' },
      { path: 'region', message: together('area code 415 is not in the region TX') },
    ],
    [
      { country: 'US', region: 'TX', postalCode: '94102' },
      { path: 'postalCode', message: together('the postal code 94102 is not in the region TX') },
    ],
    [
      { country: 'US', areaCode: '212', postalCode: '94102' },
      { path: 'postalCode', message: together('the postal code 94102 is in CA, which area code 212 does not serve') },
    ],
    [
      { country: 'CA', areaCode: '416', postalCode: 'H3B 1A7' },
      { path: 'postalCode', message: together('the postal code H3B 1A7 is in QC, which area code 416 does not serve') },
    ],
  ] as const)('that contradict each other, %j: both are named', (query, error) => {
    expect(criteriaErrors(query)).toEqual([error]);
  });

  it.each([
    // Of both provinces.
    { country: 'CA', areaCode: '902', region: 'NS' },
    { country: 'CA', areaCode: '902', region: 'PE', postalCode: 'C1A 1A1' },
    // ZIP codes that begin alike in two states.
    { country: 'US', region: 'CT', postalCode: '06390' },
    { country: 'US', region: 'NY', postalCode: '06390' },
    { country: 'US', region: 'WY', postalCode: '83414', areaCode: '307' },
    // The armed forces': in no state.
    { country: 'US', region: 'TX', postalCode: '09001', areaCode: '512' },
  ] as const)('that may be true together: %j', (query) => {
    expect(criteriaErrors(query)).toEqual([]);
  });

  it('name a country where numbers are sold, not a territory', () => {
    expect(countryNamedBy({ areaCode: '787' })).toBeNull();
    expect(countryNamedBy({ areaCode: '787', postalCode: '94102' })).toBe('US');
  });

  it('name a country, the area code before the others', () => {
    expect(countryNamedBy({})).toBeNull();
    expect(countryNamedBy({ contains: '55' })).toBeNull();
    expect(countryNamedBy({ areaCode: '416', region: 'TX' })).toBe('CA');
    expect(countryNamedBy({ region: 'ON' })).toBe('CA');
    expect(countryNamedBy({ areaCode: '999', postalCode: '94102' })).toBe('US');
  });
});

describe('alternatives', () => {
  it('of an area code: those of the same place, the next ones, the whole state', () => {
    expect(alternatives({ country: 'US', areaCode: '415' }, 6)).toEqual([
      { reason: 'Area code 628 serves the same place.', query: { country: 'US', areaCode: '628' } },
      { reason: 'Area code 341 is 8 miles away.', query: { country: 'US', areaCode: '341' } },
      { reason: 'Area code 510 is 8 miles away.', query: { country: 'US', areaCode: '510' } },
      expect.objectContaining({ query: { country: 'US', areaCode: '650' } }),
      expect.objectContaining({ query: { country: 'US', areaCode: '925' } }),
      {
        reason: 'Leave the area code out: there are numbers in the region CA.',
        query: { country: 'US', region: 'CA' },
      },
    ]);
  });

  it('of everything at once: near first, then one criterion less each', () => {
    const query = { country: 'US', areaCode: '415', region: 'CA', postalCode: '94102', contains: '5*' } as const;
    expect(reasons(query)).toEqual([
      'Area code 628 serves the same place.',
      'Area code 341 is 8 miles away.',
      'Leave the postal code out: there are numbers in area code 415.',
      'Leave the pattern out: there are numbers in area code 415.',
      'Leave the region out: there are numbers in area code 415.',
      'Leave the area code out: there are numbers in the region CA.',
    ]);
    expect(alternatives(query, 6).map((each) => each.query.contains)).toEqual([
      '5*',
      '5*',
      '5*',
      undefined,
      '5*',
      '5*',
    ]);
  });

  it.each([
    ['US', '94102', { region: 'CA' }, 'Leave the postal code out: there are numbers in the region CA.'],
    ['CA', 'M5H 2N2', { region: 'ON' }, 'Leave the postal code out: there are numbers in the region ON.'],
    ['US', '00901', {}, 'Leave the postal code out: there are numbers in the United States.'],
  ] as const)('of a postal code in %s, %s: the region around it, %j', (country, postalCode, around, reason) => {
    expect(alternatives({ country, postalCode }, 6)).toEqual([{ reason, query: { country, ...around } }]);
  });

  it('are none when there is nothing to leave out', () => {
    expect(alternatives({ country: 'US' }, 6)).toEqual([]);
  });

  it('are never the query itself, never twice the same, never too many, and have one criterion at least that is new', () => {
    const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const queries = fc.record({
      country: fc.constant('US' as const),
      areaCode: some('415', '907', '212', '701', '808'),
      region: some('CA', 'ND'),
      postalCode: some('94102', '00901', '58102'),
      contains: some('55**', 'LONGWAVE'),
    });
    fc.assert(
      fc.property(queries, fc.integer({ min: 1, max: 10 }), (query, limit) => {
        const text = (one: NumberQuery) => JSON.stringify(one, Object.keys(one).toSorted());
        const found = alternatives(query, limit).map((each) => text(each.query));
        expect(found.length).toBeLessThanOrEqual(limit);
        expect(new Set(found).size).toBe(found.length);
        expect(found).not.toContain(text(query));
        expect(criteriaErrors(lastResort(query).query)).toEqual([]);
      }),
    );
  });
});

describe('the last resort', () => {
  it.each([
    [{ country: 'US', postalCode: '00901', areaCode: '907' }, 'Leave the area code and the postal code out.', 'US'],
    [
      { country: 'CA', areaCode: '416', postalCode: 'M5H 2N2', contains: '55' },
      'Leave the area code, the postal code and the pattern out.',
      'CA',
    ],
    // All of the country is an alternative of these already.
    [{ country: 'US', region: 'ND' }, 'Try again later, or search in Canada.', 'CA'],
    [{ country: 'CA' }, 'Try again later, or search in the United States.', 'US'],
  ] as const)('of %j', (query, reason, country) => {
    expect(lastResort(query)).toEqual({
      reason: `${reason} Whether that finds numbers was not checked.`,
      query: { country },
    });
  });
});
