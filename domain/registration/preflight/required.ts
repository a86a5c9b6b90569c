/** What must be filled in, and the order in which it is asked for. */
import type { IntakeDraft } from '../intake.ts';
import { type Finding, finding } from './findings.ts';

/** Twilio's evaluation of the profile refuses it with this. */
const profile = 22215;

interface Required {
  /** As it begins a sentence. */
  name: string;
  remedy: string;
  twilioCode?: number;
  ofPublicCompany?: true;
}

const required: Readonly<Record<string, Required>> = {
  legalName: {
    name: 'The legal name',
    remedy: "Write the company's name exactly as it is on its tax record.",
    twilioCode: profile,
  },
  businessType: { name: 'The type of business', remedy: 'Choose one, such as Corporation.', twilioCode: profile },
  registrationIdentifier: {
    name: 'The kind of registration number',
    remedy: 'Choose EIN for a company in the United States, or the kind of number that its country gives.',
    twilioCode: profile,
  },
  registrationNumber: {
    name: 'The registration number',
    remedy: "Write the company's tax number, for an EIN as 12-3456789.",
    twilioCode: profile,
  },
  industry: { name: 'The industry', remedy: 'Choose the one that fits best.', twilioCode: profile },
  website: {
    name: 'The website',
    remedy: "Write the full address of the company's website, such as https://www.example.com.",
    twilioCode: profile,
  },
  regionsOfOperation: { name: 'The region of operation', remedy: 'Choose at least one.', twilioCode: profile },
  companyType: {
    name: 'The type of company',
    remedy: 'Choose private, public, non-profit or government.',
    twilioCode: profile,
  },
  stockTicker: {
    name: "The public company's stock ticker",
    remedy: 'Write it as on the exchange, such as ACME, or choose another type of company.',
    twilioCode: profile,
    ofPublicCompany: true,
  },
  stockExchange: {
    name: "The public company's stock exchange",
    remedy: 'Write it, such as NYSE or NASDAQ, or choose another type of company.',
    twilioCode: profile,
    ofPublicCompany: true,
  },
  'address.street': { name: 'The street', remedy: 'Write street and number of the place on the tax record.' },
  'address.city': { name: 'The city', remedy: 'Write the city.' },
  'address.region': { name: 'The state or province', remedy: 'Write its two letters, such as TX or ON.' },
  'address.postalCode': { name: 'The postal code', remedy: 'Write the postal code.' },
  'address.country': { name: 'The country', remedy: 'Write its two letters, such as US or CA.' },
  'representative.firstName': {
    name: "The representative's first name",
    remedy: 'Write the first name of a person who may speak for the company.',
    twilioCode: profile,
  },
  'representative.lastName': {
    name: "The representative's last name",
    remedy: 'Write the last name of that person.',
    twilioCode: profile,
  },
  'representative.email': {
    name: "The representative's email",
    remedy: "Write the person's own address on the domain of the company's website.",
    twilioCode: profile,
  },
  'representative.phone': {
    name: "The representative's phone number",
    remedy: 'Write it with country and area code, such as +1 512 555 0100.',
    twilioCode: profile,
  },
  'representative.title': {
    name: "The representative's title",
    remedy: 'Write it as on a business card, such as Operations Manager.',
    twilioCode: profile,
  },
  'representative.jobPosition': {
    name: "The representative's position",
    remedy: 'Choose one; Other if none fits.',
    twilioCode: profile,
  },
  description: {
    name: 'The description',
    remedy:
      'Say who sends, to whom, what and why: "Acme Staffing texts job seekers who applied on its website about matching jobs and interviews."',
  },
  messageFlow: {
    name: 'The description of how people opt in',
    remedy:
      'Say where people agree to text messages, by what (a box, a keyword, a paper form) and what is written next to it.',
  },
  messageSamples: {
    name: 'The samples of messages',
    remedy: 'Write two to five messages as they will be sent, with changing parts in [brackets].',
  },
  privacyPolicyUrl: {
    name: 'The address of the privacy policy',
    remedy: "Write the full address of the page on the company's website.",
    twilioCode: 30933,
  },
  termsUrl: {
    name: 'The address of the terms',
    remedy: "Write the full address of the page on the company's website.",
    twilioCode: 30934,
  },
};

/** Fields as the questionnaire asks for them; those of samples follow `messageSamples`. */
const order: readonly string[] = [
  'legalName',
  'businessType',
  'registrationIdentifier',
  'registrationNumber',
  'industry',
  'website',
  'regionsOfOperation',
  'companyType',
  'stockTicker',
  'stockExchange',
  'brandContactEmail',
  'address.street',
  'address.street2',
  'address.city',
  'address.region',
  'address.postalCode',
  'address.country',
  'representative.firstName',
  'representative.lastName',
  'representative.email',
  'representative.phone',
  'representative.title',
  'representative.jobPosition',
  'notificationEmail',
  'description',
  'messageFlow',
  'evidence',
  'messageSamples',
  'hasEmbeddedLinks',
  'hasEmbeddedPhone',
  'ageGated',
  'directLending',
  'privacyPolicyUrl',
  'termsUrl',
  'optInMessage',
  'optInKeywords',
];

const rank = (field: string): number => order.indexOf(field.replace(/\[\d+\]$/, ''));

/** The questionnaire's order, samples by their number; the rest stays as it was found. */
export const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => rank(a.field) - rank(b.field) || a.field.localeCompare(b.field, 'en', { numeric: true }));

function valueOf(draft: IntakeDraft, field: string): unknown {
  let value: unknown = draft;
  for (const key of field.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[key];
  return value;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0);

export const missingFindings = (draft: IntakeDraft): Finding[] =>
  Object.entries(required).flatMap(([field, { name, remedy, twilioCode, ofPublicCompany }]) =>
    isEmpty(valueOf(draft, field)) && (!ofPublicCompany || draft.companyType === 'public')
      ? [finding('missing', field, `${name} is missing.`, remedy, twilioCode)]
      : [],
  );
