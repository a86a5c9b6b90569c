/** States, provinces and territories: their names, and the clocks that are kept in them. */

export interface Region {
  name: string;
  country: 'US' | 'CA';
  /** IANA. The first is that of most people, and of area codes about which nothing else is said. */
  timeZones: readonly string[];
}

/** A part of a region, as far as a postal code or an area code tells: the zones it may be in. */
export interface Area {
  /** State or province, as in `TX` and `ON`. */
  region: string;
  timeZones: readonly string[];
}

/**
 * Zones that have shown the same time for decades stand once for each region, by their best-known name: what lies in
 * America/Indiana/Knox is America/Chicago here.
 */
const unitedStates: Readonly<Record<string, readonly [name: string, timeZones: string]>> = {
  // Phenix City and the Valley keep the time of Georgia.
  AL: ['Alabama', 'America/Chicago America/New_York'],
  AK: ['Alaska', 'America/Anchorage America/Adak'],
  AS: ['American Samoa', 'Pacific/Pago_Pago'],
  // The Navajo Nation changes its clocks, the rest does not.
  AZ: ['Arizona', 'America/Phoenix America/Denver'],
  AR: ['Arkansas', 'America/Chicago'],
  CA: ['California', 'America/Los_Angeles'],
  CO: ['Colorado', 'America/Denver'],
  CT: ['Connecticut', 'America/New_York'],
  DE: ['Delaware', 'America/New_York'],
  DC: ['the District of Columbia', 'America/New_York'],
  FL: ['Florida', 'America/New_York America/Chicago'],
  GA: ['Georgia', 'America/New_York'],
  GU: ['Guam', 'Pacific/Guam'],
  HI: ['Hawaii', 'Pacific/Honolulu'],
  ID: ['Idaho', 'America/Boise America/Los_Angeles'],
  IL: ['Illinois', 'America/Chicago'],
  IN: ['Indiana', 'America/Indiana/Indianapolis America/Chicago'],
  IA: ['Iowa', 'America/Chicago'],
  KS: ['Kansas', 'America/Chicago America/Denver'],
  KY: ['Kentucky', 'America/New_York America/Chicago'],
  LA: ['Louisiana', 'America/Chicago'],
  ME: ['Maine', 'America/New_York'],
  MD: ['Maryland', 'America/New_York'],
  MA: ['Massachusetts', 'America/New_York'],
  MI: ['Michigan', 'America/Detroit America/Chicago'],
  MN: ['Minnesota', 'America/Chicago'],
  MS: ['Mississippi', 'America/Chicago'],
  MO: ['Missouri', 'America/Chicago'],
  MP: ['the Northern Mariana Islands', 'Pacific/Saipan'],
  MT: ['Montana', 'America/Denver'],
  NE: ['Nebraska', 'America/Chicago America/Denver'],
  NV: ['Nevada', 'America/Los_Angeles America/Denver'],
  NH: ['New Hampshire', 'America/New_York'],
  NJ: ['New Jersey', 'America/New_York'],
  NM: ['New Mexico', 'America/Denver'],
  NY: ['New York', 'America/New_York'],
  NC: ['North Carolina', 'America/New_York'],
  ND: ['North Dakota', 'America/Chicago America/Denver'],
  OH: ['Ohio', 'America/New_York'],
  OK: ['Oklahoma', 'America/Chicago'],
  OR: ['Oregon', 'America/Los_Angeles America/Boise'],
  PA: ['Pennsylvania', 'America/New_York'],
  PR: ['Puerto Rico', 'America/Puerto_Rico'],
  RI: ['Rhode Island', 'America/New_York'],
  SC: ['South Carolina', 'America/New_York'],
  SD: ['South Dakota', 'America/Chicago America/Denver'],
  TN: ['Tennessee', 'America/Chicago America/New_York'],
  TX: ['Texas', 'America/Chicago America/Denver'],
  UT: ['Utah', 'America/Denver'],
  VT: ['Vermont', 'America/New_York'],
  VA: ['Virginia', 'America/New_York'],
  VI: ['the U.S. Virgin Islands', 'America/St_Thomas'],
  WA: ['Washington', 'America/Los_Angeles'],
  WV: ['West Virginia', 'America/New_York'],
  WI: ['Wisconsin', 'America/Chicago'],
  WY: ['Wyoming', 'America/Denver'],
};

const canada: Readonly<Record<string, readonly [name: string, timeZones: string]>> = {
  AB: ['Alberta', 'America/Edmonton'],
  // The Peace River and Creston never changed their clocks, the East Kootenay keeps the time of Alberta.
  BC: ['British Columbia', 'America/Vancouver America/Edmonton America/Dawson_Creek'],
  MB: ['Manitoba', 'America/Winnipeg'],
  NB: ['New Brunswick', 'America/Moncton'],
  NL: ['Newfoundland and Labrador', 'America/St_Johns America/Goose_Bay'],
  NS: ['Nova Scotia', 'America/Halifax'],
  // Inuvik too; its own zone is stale in Node 24 (`../zones.ts`).
  NT: ['the Northwest Territories', 'America/Edmonton'],
  NU: ['Nunavut', 'America/Iqaluit America/Rankin_Inlet America/Cambridge_Bay'],
  ON: ['Ontario', 'America/Toronto America/Winnipeg'],
  PE: ['Prince Edward Island', 'America/Halifax'],
  QC: ['Quebec', 'America/Toronto America/Halifax America/Blanc-Sablon'],
  // Lloydminster keeps the time of Alberta, Creighton that of Manitoba.
  SK: ['Saskatchewan', 'America/Regina America/Edmonton America/Winnipeg'],
  YT: ['Yukon', 'America/Whitehorse'],
};

const regionsOf = (country: Region['country'], rows: typeof canada): [string, Region][] =>
  Object.entries(rows).map(([code, [name, timeZones]]) => [code, { name, country, timeZones: timeZones.split(' ') }]);

/** By the code of two letters. `CA` is California. */
export const regions: ReadonlyMap<string, Region> = new Map([
  ...regionsOf('US', unitedStates),
  ...regionsOf('CA', canada),
]);
