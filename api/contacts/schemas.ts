/** A contact as it comes in and as it is read. */
import { z } from 'zod';
import type { Contact } from '../../db/contacts/contacts.ts';
import { parsePhone } from '../../domain/phone.ts';
import { email, id, instant, noPhoneNumber, phoneNumber, text, timeZone } from '../shared/schemas.ts';

/** Most characters, or most items. */
export const limits = {
  name: 200,
  phone: 40,
  email: 254,
  postalCode: 12,
  timeZone: 64,
  method: 50,
  evidence: 2_000,
  source: 2_000,
  attributes: 100,
  attributeName: 100,
  attribute: 1_000,
  lists: 20,
  listName: 200,
  columns: 120,
} as const;

/** Letters, digits, spaces and hyphens with at least one digit: what postal codes have in common. */
export const postalCodePattern = /^(?=.*\d)[A-Za-z0-9][A-Za-z0-9 -]{1,10}[A-Za-z0-9]$/;

/** A number that can be written down is kept even if no number can be so: it is never texted. */
const mobile = z
  .string()
  .max(limits.phone)
  .transform((written, context) => {
    const phone = parsePhone(written);
    if ('number' in phone) return { number: phone.number, status: phone.status };
    context.addIssue({ code: 'custom', message: noPhoneNumber[phone.status] });
    return z.NEVER;
  })
  .meta({ description: 'In any common form', examples: ['+14155550123'] });

const attributeName = z.string().min(1).max(limits.attributeName);

const fields = {
  firstName: text(limits.name).nullable(),
  lastName: text(limits.name).nullable(),
  mobile: mobile.nullable(),
  homePhone: phoneNumber.nullable(),
  email: email.nullable(),
  postalCode: z
    .string()
    .trim()
    .regex(postalCodePattern, 'must be a postal code such as 73301 or K1A 0B1')
    .nullable()
    .meta({ examples: ['73301'] }),
  timeZone: timeZone.nullable(),
  ownerId: id('user').nullable().meta({ description: 'The user whose contact this is' }),
  lists: z
    .array(text(limits.listName))
    .max(limits.lists)
    .transform((names) => [...new Set(names)])
    .meta({ description: 'Names of lists; those that are missing are made' }),
};

const someAttributes = <T extends z.ZodType>(value: T) =>
  z
    .record(attributeName, value)
    .refine(
      (given) => Object.keys(given).length <= limits.attributes,
      `must hold at most ${limits.attributes} attributes`,
    );

export const newContact = z
  .strictObject({ ...fields, attributes: someAttributes(z.string().max(limits.attribute)) })
  .partial();

export const contactChanges = z
  .strictObject({
    ...fields,
    attributes: someAttributes(z.string().max(limits.attribute).nullable()).meta({
      description: `Merged into the attributes that are there; null removes one. ${limits.attributes} in all`,
    }),
  })
  .partial();

export const contact = z
  .object({
    id: id('contact'),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    mobile: z.string().nullable(),
    homePhone: z.string().nullable(),
    email: z.string().nullable(),
    postalCode: z.string().nullable(),
    timeZone: z.string().nullable(),
    ownerId: id('user').nullable(),
    lists: z.array(z.string()),
    attributes: z.record(z.string(), z.string()),
    consent: z.object({ transactional: z.boolean(), promotional: z.boolean() }),
    optedOut: z.boolean().meta({ description: 'A STOP holds for the number: on the platform, here, or for one line' }),
    phoneStatus: z.enum(['valid', 'invalid', 'missing']),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Contact' });

export const toContact = (row: Contact): z.infer<typeof contact> => ({
  id: row.id,
  firstName: row.first_name,
  lastName: row.last_name,
  mobile: row.mobile,
  homePhone: row.home_phone,
  email: row.email,
  postalCode: row.postal_code,
  timeZone: row.time_zone,
  ownerId: row.owner_id,
  lists: row.lists,
  attributes: row.attributes,
  consent: { transactional: row.consent_transactional, promotional: row.consent_promotional },
  optedOut: row.opted_out,
  phoneStatus: row.phone_status,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});
