/** The questionnaire from which a company is registered (A1), in Twilio's own terms. */

export const businessTypes = [
  'Co-operative',
  'Corporation',
  'Limited Liability Corporation',
  'Non-profit Corporation',
  'Partnership',
] as const;

export const industries = [
  'AGRICULTURE',
  'AUTOMOTIVE',
  'BANKING',
  'CONSTRUCTION',
  'CONSUMER',
  'EDUCATION',
  'ELECTRONICS',
  'ENERGY',
  'ENGINEERING',
  'FAST_MOVING_CONSUMER_GOODS',
  'FINANCIAL',
  'FINTECH',
  'FOOD_AND_BEVERAGE',
  'GOVERNMENT',
  'HEALTHCARE',
  'HOSPITALITY',
  'INSURANCE',
  'JEWELRY',
  'LEGAL',
  'MANUFACTURING',
  'MEDIA',
  'NOT_FOR_PROFIT',
  'OIL_AND_GAS',
  'ONLINE',
  'PROFESSIONAL_SERVICES',
  'RAW_MATERIALS',
  'REAL_ESTATE',
  'RELIGION',
  'RETAIL',
  'TECHNOLOGY',
  'TELECOMMUNICATIONS',
  'TRANSPORTATION',
  'TRAVEL',
] as const;

export const registrationIdentifiers = [
  'EIN',
  'CBN',
  'CN',
  'ACN',
  'CIN',
  'VAT',
  'VATRN',
  'RN',
  'DUNS',
  'Other',
] as const;

export const regionsOfOperation = ['AFRICA', 'ASIA', 'EUROPE', 'LATIN_AMERICA', 'USA_AND_CANADA'] as const;

export const companyTypes = ['private', 'public', 'non-profit', 'government'] as const;

export const jobPositions = ['Director', 'GM', 'VP', 'CEO', 'CFO', 'General Counsel', 'Other'] as const;

/** Use cases that an ISV's customer can choose; those that carriers approve one by one are left out. */
export const useCases = [
  '2FA',
  'ACCOUNT_NOTIFICATION',
  'CHARITY',
  'CUSTOMER_CARE',
  'DELIVERY_NOTIFICATION',
  'FRAUD_ALERT',
  'HIGHER_EDUCATION',
  'LOW_VOLUME',
  'MARKETING',
  'MIXED',
  'POLITICAL',
  'POLLING_VOTING',
  'PUBLIC_SERVICE_ANNOUNCEMENT',
  'SECURITY_ALERT',
] as const;

interface Address {
  street: string;
  street2?: string;
  city: string;
  region: string;
  postalCode: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

interface Representative {
  firstName: string;
  lastName: string;
  email: string;
  /** E.164. */
  phone: string;
  title: string;
  jobPosition: (typeof jobPositions)[number];
}

export interface Intake {
  legalName: string;
  businessType: (typeof businessTypes)[number];
  registrationIdentifier: (typeof registrationIdentifiers)[number];
  registrationNumber: string;
  industry: (typeof industries)[number];
  website: string;
  regionsOfOperation: (typeof regionsOfOperation)[number][];
  companyType: (typeof companyTypes)[number];
  /** Of a public company. */
  stockTicker?: string;
  stockExchange?: string;
  /** Where the registry's identity link goes; the representative's by default. */
  brandContactEmail?: string;
  address: Address;
  representative: Representative;
  /** Who hears of each change of state; the operator by default. */
  notificationEmail?: string;
  useCase: (typeof useCases)[number];
  description: string;
  /** How contacts opt in. */
  messageFlow: string;
  /** 2–5. */
  messageSamples: string[];
  hasEmbeddedLinks: boolean;
  hasEmbeddedPhone: boolean;
  ageGated: boolean;
  directLending: boolean;
  privacyPolicyUrl: string;
  termsUrl: string;
  optInMessage?: string;
  optInKeywords?: string[];
  /** A messaging service of the organization's own account; a new one by default. */
  messagingServiceSid?: string;
}

type Partially<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Field in keyof T]?: Partially<T[Field]> }
    : T;

/** A questionnaire as far as it was filled in. */
export type IntakeDraft = Partially<Intake>;

/** What is asked of Twilio when the questionnaire does not say. */
const intakeDefaults = {
  useCase: 'LOW_VOLUME',
  hasEmbeddedLinks: false,
  hasEmbeddedPhone: false,
  ageGated: false,
  directLending: false,
} as const satisfies IntakeDraft;

interface Policies {
  privacyPolicyUrl: string | null;
  termsUrl: string | null;
}

/** The questionnaire with the policies of the settings, where it does not name its own. */
export const withPolicies = (draft: IntakeDraft, { privacyPolicyUrl, termsUrl }: Policies): IntakeDraft => ({
  ...(privacyPolicyUrl !== null && { privacyPolicyUrl }),
  ...(termsUrl !== null && { termsUrl }),
  ...draft,
});

/** The questionnaire as it is submitted: with the policies, and the defaults above. */
export const withRegistrationDefaults = (draft: IntakeDraft, policies: Policies): IntakeDraft => ({
  ...intakeDefaults,
  ...withPolicies(draft, policies),
});
