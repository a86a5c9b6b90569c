/** Postal codes of the United States and Canada: their shape, and the state or province they lie in. */

export interface PostalCode {
  country: 'US' | 'CA';
  /** Five digits, or as in `M5H 2N2`. */
  postalCode: string;
}

/**
 * The first three digits of ZIP codes, by state: the Postal Service's public list L002. Prefixes that serve two
 * states (063, 739, 834) stand with both, and the one with most codes comes first. Those of the territories and the armed
 * forces are left out: no numbers of the United States are sold there.
 */
const zipPrefixes = `
  AK 995-999|AL 350-369|AR 716-729|AZ 850-865|CA 900-961|CO 800-816|CT 060-069|DC 200 202-205 569|DE 197-199
  FL 320-339 341-349|GA 300-319 398-399|HI 967-968|IA 500-528|ID 832-838|IL 600-629|IN 460-479|KS 660-679
  KY 400-427|LA 700-714|MA 010-027 055|MD 206-219|ME 039-049|MI 480-499|MN 550-567|MO 630-658|MS 386-397
  MT 590-599|NC 270-289|ND 580-588|NE 680-693|NH 030-038|NJ 070-089|NM 870-884|NV 889-898|NY 005 063 100-149
  OH 430-459|OK 730-732 734-749|OR 970-979|PA 150-196|RI 028-029|SC 290-299|SD 570-577|TN 370-385
  TX 733 739 750-799 885|UT 840-847|VA 201 220-246|VT 050-054 056-059|WA 980-994|WI 530-549|WV 247-268|WY 820-831 834`;

/** The islands whose numbers are sold as those of other countries, by the first digits. */
const territories = {
  PR: /^00[679]/,
  VI: /^008/,
  AS: /^96799/,
  PW: /^969(?:39|40)/,
  FM: /^9694/,
  MP: /^9695/,
  MH: /^969[67]/,
  GU: /^969/,
};

/** By the first letter: Canada Post's. Of X, Nunavut has the three areas below, the Northwest Territories the others. */
const provinces = {
  AB: 'T',
  BC: 'V',
  MB: 'R',
  NB: 'E',
  NL: 'A',
  NS: 'B',
  NT: 'X',
  ON: 'KLMNP',
  PE: 'C',
  QC: 'GHJ',
  SK: 'S',
  YT: 'Y',
};
const nunavut = /^X0[ABC]/;

const states = zipPrefixes
  .trim()
  .split(/[|\n]/)
  .flatMap((line) => {
    const [state, ...ranges] = line.trim().split(' ');
    return ranges.map((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return { state: state!, first: first!, last: last! };
    });
  });

/** Reads a ZIP code, of which the four digits at the end do not count, or a Canadian postal code; null for anything else. */
export function parsePostalCode(text: string): PostalCode | null {
  const given = text.trim().toUpperCase();
  const zip = /^(\d{5})(?:-?\d{4})?$/.exec(given)?.[1];
  if (zip !== undefined) return { country: 'US', postalCode: zip };
  const [, area, unit] = /^([ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z])[ -]?(\d[ABCEGHJ-NPRSTV-Z]\d)$/.exec(given) ?? [];
  return area === undefined ? null : { country: 'CA', postalCode: `${area} ${unit}` };
}

/** The territory or Pacific country that has ZIP codes like a state, as in `PR`; null elsewhere. */
export const territoryOfPostalCode = (postalCode: string): string | null =>
  Object.entries(territories).find(([, itsCodes]) => itsCodes.test(postalCode))?.[0] ?? null;

/**
 * The states or provinces that a postal code as `parsePostalCode` writes it may lie in, the likeliest first; none where
 * numbers are not sold by state.
 */
export function regionsOfPostalCode(postalCode: string): string[] {
  if (nunavut.test(postalCode)) return ['NU'];
  if (territoryOfPostalCode(postalCode) !== null) return [];
  const prefix = Number(postalCode.slice(0, 3));
  if (Number.isInteger(prefix))
    return states.filter(({ first, last }) => first <= prefix && prefix <= last).map(({ state }) => state);
  return Object.entries(provinces).flatMap(([province, letters]) =>
    letters.includes(postalCode[0]!) ? [province] : [],
  );
}

/** The likeliest state or province of a postal code; null where numbers are not sold by state. */
export const regionOfPostalCode = (postalCode: string): string | null => regionsOfPostalCode(postalCode)[0] ?? null;
