/** Postal codes by real geography: the ends of ranges, and those that lie apart from the rest of their state. */
import { describe, expect, it } from 'vitest';
import { areaCodesOfRegion } from '../../domain/numbers/area-codes.ts';
import { parsePostalCode, regionOfPostalCode } from '../../domain/postal-codes.ts';
import { PLACES } from '../../simulator/numbers/area-codes.ts';

describe('reading', () => {
  it.each([
    ['94102', 'US', '94102'],
    [' 02108 ', 'US', '02108'],
    ['94102-1234', 'US', '94102'],
    ['941021234', 'US', '94102'],
    ['M5H 2N2', 'CA', 'M5H 2N2'],
    ['m5h2n2', 'CA', 'M5H 2N2'],
    ['M5H-2N2', 'CA', 'M5H 2N2'],
  ])('%s is of %s', (text, country, postalCode) => {
    expect(parsePostalCode(text)).toEqual({ country, postalCode });
  });

  it.each(['', '9410', '941022', '94102-12', 'M5H', 'M5H 2N', 'D5H 2N2', 'M5D 2N2', 'MOH 2N2', 'SW1A 1AA', '94 102'])(
    '"%s" is none',
    (text) => {
      expect(parsePostalCode(text)).toBeNull();
    },
  );
});

describe('the state or province', () => {
  const cases = [
    '00501 NY, 01001 MA, 02791 MA, 02801 RI, 03031 NH, 03901 ME, 05001 VT, 05544 MA, 05601 VT, 06101 CT, 07001 NJ',
    '08904 NJ, 10001 NY, 14975 NY, 15001 PA, 19640 PA, 19701 DE, 20001 DC, 20110 VA, 20500 DC, 20601 MD, 21930 MD',
    '22001 VA, 24658 VA, 24701 WV, 26886 WV, 27006 NC, 28909 NC, 29001 SC, 30001 GA, 31999 GA, 32004 FL, 34997 FL',
    '35004 AL, 36925 AL, 37010 TN, 38589 TN, 38601 MS, 39776 MS, 39901 GA, 40003 KY, 42788 KY, 43001 OH, 45999 OH',
    '46001 IN, 47997 IN, 48001 MI, 49971 MI, 50001 IA, 52809 IA, 53001 WI, 54990 WI, 55001 MN, 56763 MN, 56901 DC',
    '57001 SD, 58001 ND, 59001 MT, 60001 IL, 62999 IL, 63001 MO, 65899 MO, 66002 KS, 67954 KS, 68001 NE, 69367 NE',
    '70001 LA, 71497 LA, 71601 AR, 72959 AR, 73001 OK, 73301 TX, 73401 OK, 74966 OK, 75001 TX, 79999 TX, 80001 CO',
    '81658 CO, 82001 WY, 83128 WY, 83201 ID, 83876 ID, 84001 UT, 84784 UT, 85001 AZ, 86556 AZ, 87001 NM, 88441 NM',
    '88510 TX, 88901 NV, 89883 NV, 90001 CA, 96162 CA, 96701 HI, 96898 HI, 97001 OR, 97920 OR, 98001 WA, 99403 WA',
    '99501 AK, 99950 AK, A1C 5M2 NL, B3J 3A5 NS, C1A 1A1 PE, E1C 1E8 NB, G1R 4S9 QC, H3B 1A7 QC, J8X 1A1 QC',
    'K1P 1J1 ON, L5B 3C1 ON, M5H 2N2 ON, N6A 1A1 ON, P3A 1A1 ON, R3C 1A5 MB, S4P 3Y2 SK, T2P 1J9 AB, V5Y 1V4 BC',
    'X0A 0H0 NU, X0C 0G0 NU, X0E 0A1 NT, X1A 1A1 NT, Y1A 1C2 YT',
  ].flatMap((line) => line.split(', '));

  it('is told by the first three digits, or the first letter', () => {
    expect(cases.map((each) => `${each.slice(0, -3)} ${regionOfPostalCode(each.slice(0, -3))}`)).toEqual(cases);
  });

  it('is not told for territories, the armed forces, and what nobody was given', () => {
    for (const code of ['00601', '00802', '00901', '09001', '34001', '96201', '96799', '96910', '00101', '71501'])
      expect(regionOfPostalCode(code), code).toBeNull();
  });

  it('has area codes, and is that of every city in the simulator', () => {
    const regions = new Set(cases.map((each) => each.slice(-2)));
    expect(regions.size).toBe(51 + 13);
    for (const region of regions) expect(areaCodesOfRegion(region), region).not.toEqual([]);
    for (const { postalCode, region } of PLACES.values())
      if (postalCode !== null) expect(regionOfPostalCode(postalCode), postalCode).toBe(region);
  });
});
