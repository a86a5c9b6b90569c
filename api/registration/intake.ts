/** The questionnaire as it comes in, field by field, and as it is read. */
import { z } from 'zod';
import {
  businessTypes,
  companyTypes,
  industries,
  type IntakeDraft,
  jobPositions,
  regionsOfOperation,
  registrationIdentifiers,
  useCases,
} from '../../domain/registration/intake.ts';
import { email, phoneNumber, text, webAddress } from '../shared/schemas.ts';
import {
  businessTypeAliases,
  companyTypeAliases,
  country,
  industryAliases,
  jobPositionAliases,
  oneOf,
  regionAliases,
  registrationIdentifierAliases,
  useCaseAliases,
} from './forms.ts';

const mailbox = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(email)
  .meta({ examples: ['ada@acme.example'] });

/** Each may be sent alone, and `null` removes it. What Twilio wants of lengths and counts is for preflight to say. */
const removable = <Fields extends Record<string, z.ZodType>>(fields: Fields) =>
  z
    .strictObject(
      Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.nullable()])) as {
        [Name in keyof Fields]: z.ZodNullable<Fields[Name]>;
      },
    )
    .partial();

const address = removable({
  street: text(200),
  street2: text(200),
  city: text(100),
  region: text(100).meta({ examples: ['TX'] }),
  postalCode: text(20),
  country,
});

const representative = removable({
  firstName: text(100),
  lastName: text(100),
  email: mailbox,
  phone: phoneNumber,
  title: text(100),
  jobPosition: oneOf(jobPositions, jobPositionAliases),
});

/** What changes in the questionnaire. */
export const intakeChanges = removable({
  legalName: text(255),
  businessType: oneOf(businessTypes, businessTypeAliases),
  registrationIdentifier: oneOf(registrationIdentifiers, registrationIdentifierAliases),
  registrationNumber: text(50).meta({ examples: ['12-3456789'] }),
  industry: oneOf(industries, industryAliases),
  website: webAddress,
  regionsOfOperation: z
    .array(oneOf(regionsOfOperation, regionAliases))
    .min(1, 'must name at least one region')
    .max(20)
    .transform((regions) => [...new Set(regions)]),
  companyType: oneOf(companyTypes, companyTypeAliases),
  stockTicker: text(20),
  stockExchange: text(50),
  brandContactEmail: mailbox,
  address,
  representative,
  notificationEmail: mailbox,
  useCase: oneOf(useCases, useCaseAliases),
  description: text(10_000),
  messageFlow: text(10_000),
  // As they were pasted: what cleaning changes in them is shown.
  messageSamples: z.array(z.string().max(5_000)).max(20),
  hasEmbeddedLinks: z.boolean(),
  hasEmbeddedPhone: z.boolean(),
  ageGated: z.boolean(),
  directLending: z.boolean(),
  privacyPolicyUrl: webAddress,
  termsUrl: webAddress,
  optInMessage: text(2_000),
  optInKeywords: z.array(text(255)).max(50),
  messagingServiceSid: z
    .string()
    .regex(/^MG[0-9a-f]{32}$/, 'must be the SID of a messaging service: MG and 32 hexadecimal digits'),
}).meta({ id: 'IntakeChanges' });
export type IntakeChanges = z.infer<typeof intakeChanges>;

/** The questionnaire as far as it was filled in. */
export const intake = z
  .object({
    legalName: z.string(),
    businessType: z.enum(businessTypes),
    registrationIdentifier: z.enum(registrationIdentifiers),
    registrationNumber: z.string(),
    industry: z.enum(industries),
    website: z.string(),
    regionsOfOperation: z.array(z.enum(regionsOfOperation)),
    companyType: z.enum(companyTypes),
    stockTicker: z.string(),
    stockExchange: z.string(),
    brandContactEmail: z.string(),
    address: z
      .object({
        street: z.string(),
        street2: z.string(),
        city: z.string(),
        region: z.string(),
        postalCode: z.string(),
        country: z.string(),
      })
      .partial(),
    representative: z
      .object({
        firstName: z.string(),
        lastName: z.string(),
        email: z.string(),
        phone: z.string(),
        title: z.string(),
        jobPosition: z.enum(jobPositions),
      })
      .partial(),
    notificationEmail: z.string(),
    useCase: z.enum(useCases),
    description: z.string(),
    messageFlow: z.string(),
    messageSamples: z.array(z.string()),
    hasEmbeddedLinks: z.boolean(),
    hasEmbeddedPhone: z.boolean(),
    ageGated: z.boolean(),
    directLending: z.boolean(),
    privacyPolicyUrl: z.string(),
    termsUrl: z.string(),
    optInMessage: z.string(),
    optInKeywords: z.array(z.string()),
    messagingServiceSid: z.string(),
  })
  .partial()
  .meta({ id: 'Intake' });

/** What was sent replaces, null removes, the rest stays. */
const merged = <Fields extends object>(current: Fields, changes: object): Fields =>
  Object.fromEntries(Object.entries({ ...current, ...changes }).filter(([, value]) => value !== null)) as Fields;

/** A part of the questionnaire that has parts itself; null when nothing is left of it. */
function mergedPart<Part extends object>(current: Part | undefined, changes: object | null): Part | null {
  if (changes === null) return null;
  const part = merged(current ?? ({} as Part), changes);
  return Object.keys(part).length > 0 ? part : null;
}

/** Applies changes to a questionnaire; those of address and representative field by field too. */
export function mergeIntake(current: IntakeDraft, changes: IntakeChanges): IntakeDraft {
  const { address, representative } = changes;
  return merged(current, {
    ...changes,
    ...(address !== undefined && { address: mergedPart(current.address, address) }),
    ...(representative !== undefined && { representative: mergedPart(current.representative, representative) }),
  });
}
