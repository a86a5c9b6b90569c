/** Field types that several resources share. */
import { IANAZone } from 'luxon';
import { z } from 'zod';
import { idPrefixes, type IdKind } from '../../db/ids.ts';
import { parsePhone } from '../../domain/phone.ts';
import { permissions } from './permissions.ts';

/** Text with something in it, trimmed. */
export const text = (max: number) =>
  z.string().trim().min(1, 'must not be empty').max(max, `must be at most ${max} characters`);

/** An id in a body or an answer. */
export const id = (kind: IdKind) =>
  z
    .string()
    .max(100)
    .meta({ examples: [`${idPrefixes[kind]}_0199a7f0-5a3c-7b1e-9d2f-3c4b5a697887`] });

/** `{ id }` of a path: what is no id is unknown, a 404. */
export const idParams = z.object({ id: z.string() });

export const instant = z.iso.datetime().meta({ description: 'RFC 3339, UTC', examples: ['2026-11-22T15:04:05.000Z'] });

/** Whether this is a place's time zone; a fixed offset such as `+05:00` knows no daylight-saving time. */
export const isTimeZone = (zone: string): boolean =>
  /^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(zone) && IANAZone.isValidZone(zone);

export const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be an IANA time zone such as America/Chicago')
  .meta({ examples: ['America/Chicago'] });

export const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 08:00')
  .meta({ examples: ['08:00'] });

/** What is said of text that is no phone number as such. */
export const noPhoneNumber = {
  not_a_number: 'is not a phone number: write it like +14155550123',
  extension: 'has an extension, which cannot be reached by texts or forwarded calls: leave it out',
} as const;

/** A number that can be dialled, written in any common form; read as E.164. */
export const phoneNumber = z
  .string()
  .max(40)
  .transform((written, context) => {
    const phone = parsePhone(written);
    if (phone.status === 'valid') return phone.number;
    context.addIssue({
      code: 'custom',
      message:
        phone.status === 'invalid' ? 'is a number that cannot exist: check its digits' : noPhoneNumber[phone.status],
    });
    return z.NEVER;
  })
  .meta({ examples: ['+14155550123'] });

export const email = z
  .email('must be an email address')
  .max(254)
  .meta({ examples: ['ada@example.com'] });

/** A page of the web, kept as it was written; without a scheme `https://` is meant. */
export const webAddress = text(2_000)
  .transform((written, context) => {
    const address = /^[a-z][a-z\d+.-]*:\/\//i.test(written) ? written : `https://${written}`;
    const url = URL.parse(address);
    if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return address;
    context.addIssue({ code: 'custom', message: 'must be a web address such as https://acme.example' });
    return z.NEVER;
  })
  .meta({ examples: ['https://acme.example'] });

export const permission = z.enum(permissions);
export const permissionSet = z
  .array(permission)
  .max(50)
  .transform((names) => [...new Set(names)]);

/** A document for 204. */
export const nothing = z.undefined().meta({ description: 'Done' });

/** A search as people type it. */
export const search = (what: string) => z.string().max(200).optional().meta({ description: what });

/** A yes or no in a query. */
export const flag = (what: string) =>
  z
    .enum(['true', 'false'])
    .transform((written) => written === 'true')
    .optional()
    .meta({ description: what });
