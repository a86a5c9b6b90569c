/** Choices as people and other systems write them, read as Twilio's terms. */
import { z } from 'zod';
import type {
  businessTypes,
  companyTypes,
  industries,
  jobPositions,
  regionsOfOperation,
  registrationIdentifiers,
  useCases,
} from '../../domain/registration/intake.ts';

/** Common names beside Twilio's own. Case, spaces and punctuation do not matter; `&` reads `and`. */
type Aliases<Values extends readonly string[]> = Readonly<Partial<Record<Values[number], readonly string[]>>>;

export const businessTypeAliases: Aliases<typeof businessTypes> = {
  'Co-operative': ['Coop', 'Cooperative'],
  Corporation: ['Corp', 'Inc', 'Incorporated', 'C Corp', 'C Corporation', 'S Corp', 'S Corporation'],
  'Limited Liability Corporation': ['LLC', 'Limited Liability Company', 'Limited Liability Co'],
  'Non-profit Corporation': ['Non-profit', 'Not-for-profit', 'Not-for-profit Corporation', 'Charity'],
  Partnership: ['LLP', 'LP', 'General Partnership', 'Limited Partnership', 'Limited Liability Partnership'],
};

export const registrationIdentifierAliases: Aliases<typeof registrationIdentifiers> = {
  EIN: ['FEIN', 'US EIN', 'Tax ID', 'Federal Tax ID', 'Employer Identification Number'],
  CBN: ['BN', 'Business Number', 'Canadian Business Number'],
  CN: ['Company Number'],
  DUNS: ['DUNS Number'],
};

export const industryAliases: Aliases<typeof industries> = {
  FAST_MOVING_CONSUMER_GOODS: ['FMCG'],
  FINANCIAL: ['Finance', 'Financial Services'],
  FOOD_AND_BEVERAGE: ['Food', 'Restaurants'],
  NOT_FOR_PROFIT: ['Non-profit'],
  OIL_AND_GAS: ['Oil/Gas'],
  PROFESSIONAL_SERVICES: ['Staffing', 'Recruiting', 'Consulting'],
  TECHNOLOGY: ['IT', 'Information Technology', 'Software'],
  TELECOMMUNICATIONS: ['Telecom', 'Telecommunication'],
};

export const regionAliases: Aliases<typeof regionsOfOperation> = {
  ASIA: ['APAC'],
  EUROPE: ['EU'],
  LATIN_AMERICA: ['LATAM', 'South America', 'Central America'],
  USA_AND_CANADA: [
    'US',
    'USA',
    'United States',
    'CA',
    'Canada',
    'US/Canada',
    'USA/Canada',
    'US & Canada',
    'North America',
  ],
};

export const companyTypeAliases: Aliases<typeof companyTypes> = {
  private: ['Private for profit', 'For profit', 'Privately held'],
  public: ['Public for profit', 'Publicly traded', 'Publicly held'],
  'non-profit': ['Not-for-profit', 'Charity'],
  government: ['Gov', 'Governmental', 'Government agency'],
};

export const jobPositionAliases: Aliases<typeof jobPositions> = {
  GM: ['General Manager'],
  VP: ['Vice President'],
  CEO: ['Chief Executive Officer'],
  CFO: ['Chief Financial Officer'],
  'General Counsel': ['GC'],
};

export const useCaseAliases: Aliases<typeof useCases> = {
  '2FA': ['Two-factor authentication'],
  ACCOUNT_NOTIFICATION: ['Account notifications'],
  DELIVERY_NOTIFICATION: ['Delivery notifications'],
  FRAUD_ALERT: ['Fraud alerts'],
  LOW_VOLUME: ['Low volume mixed'],
  SECURITY_ALERT: ['Security alerts'],
};

const countries: Readonly<Record<string, string>> = { usa: 'US', unitedstates: 'US', canada: 'CA' };

const keyOf = (written: string): string =>
  written
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('&', 'and')
    .replaceAll(/[^a-z\d]+/g, '');

/** One of Twilio's terms, or a common name for it. */
export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, aliases?: Aliases<Values>) {
  const terms = new Map<string, string>();
  for (const [term, names] of Object.entries<readonly string[] | undefined>(aliases ?? {})) {
    for (const name of names ?? []) terms.set(keyOf(name), term);
  }
  for (const term of values) terms.set(keyOf(term), term);
  const known = (written: unknown): unknown =>
    typeof written === 'string' ? (terms.get(keyOf(written)) ?? written) : written;
  return z.preprocess(known, z.enum(values, { error: `must be one of ${values.join(', ')}` }));
}

export const country = z
  .string()
  .trim()
  .max(60)
  .transform((written) => countries[keyOf(written)] ?? written.toUpperCase())
  .pipe(z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter country code such as US'))
  .meta({ description: 'ISO 3166-1 alpha-2', examples: ['US'] });
