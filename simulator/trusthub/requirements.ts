/** What Twilio's policies ask for: the attributes of each end user, and their values where these are a list. */

export interface Field {
  name: string;
  /** As results name it. */
  label: string;
  /** The only values there are; any value when left out. */
  values?: readonly string[];
  /** Several values may be given, separated by commas. */
  several?: boolean;
  /** Whether it is needed, given the other attributes; always, when left out. */
  when?: (attributes: Record<string, unknown>) => boolean;
}

const isPublic = (attributes: Record<string, unknown>) => attributes['company_type'] === 'public';

export const BUSINESS_INFORMATION: readonly Field[] = [
  { name: 'business_name', label: 'Business Name' },
  {
    name: 'business_type',
    label: 'Business Type',
    values: [
      'Co-operative',
      'Corporation',
      'Limited Liability Corporation',
      'Non-profit Corporation',
      'Partnership',
      'Sole Proprietorship',
    ],
  },
  {
    name: 'business_industry',
    label: 'Business Industry',
    // prettier-ignore
    values: [
      'AGRICULTURE', 'AUTOMOTIVE', 'BANKING', 'CONSTRUCTION', 'CONSUMER', 'EDUCATION', 'ELECTRONICS', 'ENERGY', 'ENGINEERING',
      'FAST_MOVING_CONSUMER_GOODS', 'FINANCIAL', 'FINTECH', 'FOOD_AND_BEVERAGE', 'GOVERNMENT', 'HEALTHCARE', 'HOSPITALITY',
      'INSURANCE', 'JEWELRY', 'LEGAL', 'MANUFACTURING', 'MEDIA', 'NOT_FOR_PROFIT', 'OIL_AND_GAS', 'ONLINE',
      'PROFESSIONAL_SERVICES', 'RAW_MATERIALS', 'REAL_ESTATE', 'RELIGION', 'RETAIL', 'TECHNOLOGY', 'TELECOMMUNICATIONS',
      'TRANSPORTATION', 'TRAVEL',
    ],
  },
  {
    name: 'business_registration_identifier',
    label: 'Business Registration Identifier',
    values: ['EIN', 'CBN', 'CN', 'ACN', 'CIN', 'VAT', 'VATRN', 'RN', 'DUNS', 'Other'],
  },
  { name: 'business_registration_number', label: 'Business Registration Number' },
  {
    name: 'business_identity',
    label: 'Business Identity',
    values: ['direct_customer', 'isv_reseller_or_partner', 'unknown'],
  },
  {
    name: 'business_regions_of_operation',
    label: 'Business Regions of Operation',
    values: ['AFRICA', 'ASIA', 'EUROPE', 'LATIN_AMERICA', 'USA_AND_CANADA'],
    several: true,
  },
  { name: 'website_url', label: 'Website Url' },
];

export const AUTHORIZED_REPRESENTATIVE: readonly Field[] = [
  { name: 'first_name', label: 'First Name' },
  { name: 'last_name', label: 'Last Name' },
  { name: 'email', label: 'Email' },
  { name: 'phone_number', label: 'Phone Number' },
  { name: 'business_title', label: 'Business Title' },
  {
    name: 'job_position',
    label: 'Job Position',
    values: ['Director', 'GM', 'VP', 'CEO', 'CFO', 'General Counsel', 'Other'],
  },
];

export const MESSAGING_PROFILE: readonly Field[] = [
  { name: 'company_type', label: 'Company Type', values: ['private', 'public', 'non-profit', 'government'] },
  { name: 'stock_exchange', label: 'Stock Exchange', when: isPublic },
  { name: 'stock_ticker', label: 'Stock Ticker', when: isPublic },
  { name: 'brand_contact_email', label: 'Brand Contact Email', when: isPublic },
];
