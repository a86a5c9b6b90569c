/** Area codes of the United States and Canada: where each is, by one town of it. */
import { areas } from './area-codes-data.ts';

/** Where the numbers of an area code are. */
export interface Place {
  areaCode: string;
  locality: string;
  /** State or province, two letters. */
  region: string;
  /** Null where we do not know it; Twilio leaves it out of some numbers as well. */
  postalCode: string | null;
  country: 'US' | 'CA';
  /** Degrees. */
  latitude: number;
  longitude: number;
  /** Local access and transport area; 888 is all of Canada. Null as above. */
  lata: string | null;
}

type Row = [string, string, string, string, Place['country'], number, number, string];

/** The best-known ones, each by the city it is known for and with all that Twilio tells of a number. */
const ROWS: Row[] = [
  ['201', 'Jersey City', 'NJ', '07302', 'US', 40.7178, -74.0431, '224'],
  ['202', 'Washington', 'DC', '20001', 'US', 38.9072, -77.0369, '236'],
  ['203', 'New Haven', 'CT', '06510', 'US', 41.3083, -72.9279, '920'],
  ['205', 'Birmingham', 'AL', '35203', 'US', 33.5186, -86.8104, '476'],
  ['206', 'Seattle', 'WA', '98101', 'US', 47.6062, -122.3321, '674'],
  ['207', 'Portland', 'ME', '04101', 'US', 43.6591, -70.2568, '120'],
  ['208', 'Boise', 'ID', '83702', 'US', 43.615, -116.2023, '652'],
  ['210', 'San Antonio', 'TX', '78205', 'US', 29.4241, -98.4936, '566'],
  ['212', 'New York', 'NY', '10001', 'US', 40.7128, -74.006, '132'],
  ['213', 'Los Angeles', 'CA', '90012', 'US', 34.0522, -118.2437, '730'],
  ['214', 'Dallas', 'TX', '75201', 'US', 32.7767, -96.797, '552'],
  ['215', 'Philadelphia', 'PA', '19102', 'US', 39.9526, -75.1652, '228'],
  ['216', 'Cleveland', 'OH', '44113', 'US', 41.4993, -81.6944, '320'],
  ['225', 'Baton Rouge', 'LA', '70801', 'US', 30.4515, -91.1871, '492'],
  ['251', 'Mobile', 'AL', '36602', 'US', 30.6954, -88.0399, '480'],
  ['253', 'Tacoma', 'WA', '98402', 'US', 47.2529, -122.4443, '674'],
  ['301', 'Rockville', 'MD', '20850', 'US', 39.084, -77.1528, '236'],
  ['302', 'Wilmington', 'DE', '19801', 'US', 39.7391, -75.5398, '228'],
  ['303', 'Denver', 'CO', '80202', 'US', 39.7392, -104.9903, '656'],
  ['304', 'Charleston', 'WV', '25301', 'US', 38.3498, -81.6326, '254'],
  ['305', 'Miami', 'FL', '33130', 'US', 25.7617, -80.1918, '460'],
  ['307', 'Cheyenne', 'WY', '82001', 'US', 41.14, -104.8202, '654'],
  ['310', 'Santa Monica', 'CA', '90401', 'US', 34.0195, -118.4912, '730'],
  ['312', 'Chicago', 'IL', '60601', 'US', 41.8781, -87.6298, '358'],
  ['313', 'Detroit', 'MI', '48226', 'US', 42.3314, -83.0458, '340'],
  ['314', 'St. Louis', 'MO', '63101', 'US', 38.627, -90.1994, '520'],
  ['317', 'Indianapolis', 'IN', '46204', 'US', 39.7684, -86.1581, '336'],
  ['323', 'Los Angeles', 'CA', '90028', 'US', 34.0983, -118.3267, '730'],
  ['401', 'Providence', 'RI', '02903', 'US', 41.824, -71.4128, '130'],
  ['402', 'Omaha', 'NE', '68102', 'US', 41.2565, -95.9345, '644'],
  ['404', 'Atlanta', 'GA', '30303', 'US', 33.749, -84.388, '438'],
  ['405', 'Oklahoma City', 'OK', '73102', 'US', 35.4676, -97.5164, '536'],
  ['406', 'Billings', 'MT', '59101', 'US', 45.7833, -108.5007, '650'],
  ['407', 'Orlando', 'FL', '32801', 'US', 28.5383, -81.3792, '458'],
  ['408', 'San Jose', 'CA', '95113', 'US', 37.3382, -121.8863, '722'],
  ['410', 'Baltimore', 'MD', '21202', 'US', 39.2904, -76.6122, '238'],
  ['412', 'Pittsburgh', 'PA', '15222', 'US', 40.4406, -79.9959, '234'],
  ['413', 'Springfield', 'MA', '01103', 'US', 42.1015, -72.5898, '126'],
  ['414', 'Milwaukee', 'WI', '53202', 'US', 43.0389, -87.9065, '356'],
  ['415', 'San Francisco', 'CA', '94102', 'US', 37.7749, -122.4194, '722'],
  ['425', 'Bellevue', 'WA', '98004', 'US', 47.6101, -122.2015, '674'],
  ['469', 'Dallas', 'TX', '75202', 'US', 32.7801, -96.8005, '552'],
  ['480', 'Scottsdale', 'AZ', '85251', 'US', 33.4942, -111.9261, '666'],
  ['501', 'Little Rock', 'AR', '72201', 'US', 34.7465, -92.2896, '528'],
  ['502', 'Louisville', 'KY', '40202', 'US', 38.2527, -85.7585, '462'],
  ['503', 'Portland', 'OR', '97204', 'US', 45.5152, -122.6784, '672'],
  ['504', 'New Orleans', 'LA', '70112', 'US', 29.9511, -90.0715, '490'],
  ['505', 'Albuquerque', 'NM', '87102', 'US', 35.0844, -106.6504, '664'],
  ['510', 'Oakland', 'CA', '94612', 'US', 37.8044, -122.2712, '722'],
  ['512', 'Austin', 'TX', '78701', 'US', 30.2672, -97.7431, '558'],
  ['513', 'Cincinnati', 'OH', '45202', 'US', 39.1031, -84.512, '922'],
  ['515', 'Des Moines', 'IA', '50309', 'US', 41.5868, -93.625, '632'],
  ['516', 'Hempstead', 'NY', '11550', 'US', 40.7062, -73.6187, '132'],
  ['518', 'Albany', 'NY', '12207', 'US', 42.6526, -73.7562, '134'],
  ['520', 'Tucson', 'AZ', '85701', 'US', 32.2226, -110.9747, '668'],
  ['585', 'Rochester', 'NY', '14604', 'US', 43.1566, -77.6088, '974'],
  ['601', 'Jackson', 'MS', '39201', 'US', 32.2988, -90.1848, '482'],
  ['602', 'Phoenix', 'AZ', '85003', 'US', 33.4484, -112.074, '666'],
  ['603', 'Manchester', 'NH', '03101', 'US', 42.9956, -71.4548, '122'],
  ['605', 'Sioux Falls', 'SD', '57104', 'US', 43.5446, -96.7311, '640'],
  ['608', 'Madison', 'WI', '53703', 'US', 43.0731, -89.4012, '354'],
  ['612', 'Minneapolis', 'MN', '55401', 'US', 44.9778, -93.265, '628'],
  ['614', 'Columbus', 'OH', '43215', 'US', 39.9612, -82.9988, '324'],
  ['615', 'Nashville', 'TN', '37203', 'US', 36.1627, -86.7816, '470'],
  ['616', 'Grand Rapids', 'MI', '49503', 'US', 42.9634, -85.6681, '348'],
  ['617', 'Boston', 'MA', '02108', 'US', 42.3601, -71.0589, '128'],
  ['619', 'San Diego', 'CA', '92101', 'US', 32.7157, -117.1611, '732'],
  ['628', 'San Francisco', 'CA', '94103', 'US', 37.7726, -122.4099, '722'],
  ['646', 'New York', 'NY', '10011', 'US', 40.742, -74.0006, '132'],
  ['650', 'San Mateo', 'CA', '94401', 'US', 37.563, -122.3255, '722'],
  ['651', 'Saint Paul', 'MN', '55101', 'US', 44.9537, -93.09, '628'],
  ['678', 'Atlanta', 'GA', '30308', 'US', 33.7718, -84.3775, '438'],
  ['701', 'Fargo', 'ND', '58102', 'US', 46.8772, -96.7898, '636'],
  ['702', 'Las Vegas', 'NV', '89101', 'US', 36.1699, -115.1398, '721'],
  ['703', 'Arlington', 'VA', '22201', 'US', 38.8816, -77.091, '236'],
  ['704', 'Charlotte', 'NC', '28202', 'US', 35.2271, -80.8431, '422'],
  ['706', 'Augusta', 'GA', '30901', 'US', 33.4735, -82.0105, '442'],
  ['713', 'Houston', 'TX', '77002', 'US', 29.7604, -95.3698, '560'],
  ['714', 'Anaheim', 'CA', '92805', 'US', 33.8366, -117.9143, '730'],
  ['716', 'Buffalo', 'NY', '14202', 'US', 42.8864, -78.8784, '140'],
  ['718', 'Brooklyn', 'NY', '11201', 'US', 40.6943, -73.9903, '132'],
  ['720', 'Denver', 'CO', '80203', 'US', 39.7313, -104.9826, '656'],
  ['757', 'Norfolk', 'VA', '23510', 'US', 36.8508, -76.2859, '252'],
  ['773', 'Chicago', 'IL', '60614', 'US', 41.9227, -87.6533, '358'],
  ['775', 'Reno', 'NV', '89501', 'US', 39.5296, -119.8138, '720'],
  ['786', 'Miami', 'FL', '33132', 'US', 25.7867, -80.18, '460'],
  ['801', 'Salt Lake City', 'UT', '84101', 'US', 40.7608, -111.891, '660'],
  ['802', 'Burlington', 'VT', '05401', 'US', 44.4759, -73.2121, '124'],
  ['803', 'Columbia', 'SC', '29201', 'US', 34.0007, -81.0348, '434'],
  ['804', 'Richmond', 'VA', '23219', 'US', 37.5407, -77.436, '248'],
  ['808', 'Honolulu', 'HI', '96813', 'US', 21.3069, -157.8583, '834'],
  ['813', 'Tampa', 'FL', '33602', 'US', 27.9506, -82.4572, '952'],
  ['816', 'Kansas City', 'MO', '64106', 'US', 39.0997, -94.5786, '524'],
  ['817', 'Fort Worth', 'TX', '76102', 'US', 32.7555, -97.3308, '552'],
  ['832', 'Houston', 'TX', '77003', 'US', 29.7493, -95.3458, '560'],
  ['843', 'Charleston', 'SC', '29401', 'US', 32.7765, -79.9311, '436'],
  ['860', 'Hartford', 'CT', '06103', 'US', 41.7658, -72.6734, '920'],
  ['901', 'Memphis', 'TN', '38103', 'US', 35.1495, -90.049, '468'],
  ['904', 'Jacksonville', 'FL', '32202', 'US', 30.3322, -81.6557, '452'],
  ['907', 'Anchorage', 'AK', '99501', 'US', 61.2181, -149.9003, '832'],
  ['913', 'Overland Park', 'KS', '66204', 'US', 38.9822, -94.6708, '524'],
  ['915', 'El Paso', 'TX', '79901', 'US', 31.7619, -106.485, '540'],
  ['916', 'Sacramento', 'CA', '95814', 'US', 38.5816, -121.4944, '726'],
  ['917', 'New York', 'NY', '10012', 'US', 40.7255, -73.9983, '132'],
  ['918', 'Tulsa', 'OK', '74103', 'US', 36.154, -95.9928, '538'],
  ['919', 'Raleigh', 'NC', '27601', 'US', 35.7796, -78.6382, '426'],
  ['949', 'Irvine', 'CA', '92614', 'US', 33.6846, -117.8265, '730'],
  ['973', 'Newark', 'NJ', '07102', 'US', 40.7357, -74.1724, '224'],
  ['204', 'Winnipeg', 'MB', 'R3C 1A5', 'CA', 49.8951, -97.1384, '888'],
  ['250', 'Victoria', 'BC', 'V8W 1P6', 'CA', 48.4284, -123.3656, '888'],
  ['306', 'Regina', 'SK', 'S4P 3Y2', 'CA', 50.4452, -104.6189, '888'],
  ['403', 'Calgary', 'AB', 'T2P 1J9', 'CA', 51.0447, -114.0719, '888'],
  ['416', 'Toronto', 'ON', 'M5H 2N2', 'CA', 43.6532, -79.3832, '888'],
  ['418', 'Quebec', 'QC', 'G1R 4S9', 'CA', 46.8139, -71.208, '888'],
  ['438', 'Montreal', 'QC', 'H2Y 1C6', 'CA', 45.5017, -73.5673, '888'],
  ['506', 'Moncton', 'NB', 'E1C 1E8', 'CA', 46.0878, -64.7782, '888'],
  ['514', 'Montreal', 'QC', 'H3B 1A7', 'CA', 45.4997, -73.5693, '888'],
  ['604', 'Vancouver', 'BC', 'V5Y 1V4', 'CA', 49.2609, -123.1139, '888'],
  ['613', 'Ottawa', 'ON', 'K1P 1J1', 'CA', 45.4215, -75.6972, '888'],
  ['647', 'Toronto', 'ON', 'M5V 3L9', 'CA', 43.6426, -79.3871, '888'],
  ['709', "St. John's", 'NL', 'A1C 5M2', 'CA', 47.5615, -52.7126, '888'],
  ['778', 'Vancouver', 'BC', 'V6B 1A1', 'CA', 49.2827, -123.1207, '888'],
  ['780', 'Edmonton', 'AB', 'T5J 2R7', 'CA', 53.5461, -113.4938, '888'],
  ['867', 'Whitehorse', 'YT', 'Y1A 1C2', 'CA', 60.7212, -135.0568, '888'],
  ['902', 'Halifax', 'NS', 'B3J 3A5', 'CA', 44.6488, -63.5752, '888'],
  ['905', 'Mississauga', 'ON', 'L5B 3C1', 'CA', 43.589, -79.6441, '888'],
];

const known: Place[] = ROWS.map(([areaCode, locality, region, postalCode, country, latitude, longitude, lata]) => ({
  areaCode,
  locality,
  region,
  postalCode,
  country,
  latitude,
  longitude,
  lata,
}));

const PROVINCES = new Set('AB BC MB NB NL NS NT NU ON PE QC SK YT'.split(' '));
/** Sold as countries of their own, which are not modelled. */
const TERRITORIES = new Set('AS GU MP PR VI'.split(' '));

/** All others: of a code that overlays two areas, where its first one is. */
const others: Place[] = areas.toReversed().flatMap(([codes, regions, locality, latitude, longitude]) => {
  const [region = ''] = regions.split(' ');
  if (TERRITORIES.has(region)) return [];
  const country = PROVINCES.has(region) ? 'CA' : 'US';
  const lata = country === 'CA' ? '888' : null;
  return codes
    .split(' ')
    .map((areaCode) => ({ areaCode, locality, region, postalCode: null, country, latitude, longitude, lata }));
});

/** By area code, in its order. */
export const PLACES: ReadonlyMap<string, Place> = new Map(
  [...new Map([...others, ...known].map((place) => [place.areaCode, place]))].toSorted(
    ([a], [b]) => Number(a) - Number(b),
  ),
);

/** The area code of a number of the United States or Canada, with or without `+1`; undefined for any other. */
export function areaCodeOf(phoneNumber: string): string | undefined {
  return /^(?:\+?1)?([2-9]\d{2})[2-9]\d{6}$/.exec(phoneNumber)?.[1];
}

/** Where a number is; undefined when nobody has its area code. */
export function placeOf(phoneNumber: string): Place | undefined {
  return PLACES.get(areaCodeOf(phoneNumber) ?? '');
}

const EARTH_RADIUS_MILES = 3_958.8;

/** Miles between two points, over the ground. */
export function milesBetween(
  a: Pick<Place, 'latitude' | 'longitude'>,
  b: Pick<Place, 'latitude' | 'longitude'>,
): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const across = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
  const along = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  const chord = across + along * Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude));
  return 2 * EARTH_RADIUS_MILES * Math.asin(Math.sqrt(chord));
}
