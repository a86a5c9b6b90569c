/** What a row of an import must look like, and what is said of one that does not. */
import type { ImportRow } from '../../db/contacts/import.ts';
import { parsePhone } from '../../domain/phone.ts';
import { type Purpose, purposes } from '../../domain/purpose.ts';
import { invalid, type Problem } from '../shared/problems.ts';
import { email as emailSchema, isTimeZone } from '../shared/schemas.ts';
import type { CsvItem } from './csv.ts';
import { limits, postalCodePattern } from './schemas.ts';

const known = [
  'firstName',
  'lastName',
  'mobile',
  'homePhone',
  'email',
  'postalCode',
  'timeZone',
  'lists',
  'consent',
  'consentMethod',
  'consentEvidence',
  'consentSource',
] as const;
type Column = (typeof known)[number];

/** The columns of a file, in its order. */
export interface Header {
  columns: readonly ({ known: Column } | { attribute: string })[];
}

const byName = new Map(known.map((name) => [name.toLowerCase(), name]));
const identifying: readonly Column[] = ['mobile', 'homePhone', 'email', 'firstName', 'lastName'];

const badHeader = (message: string): Problem =>
  invalid([{ path: 'header', message }], 'The first row must name the columns: correct it and send the file again.');

/**
 * Reads the header row. Names of columns are matched whatever their case; any other column becomes an attribute.
 *
 * @throws {Problem} 400 that says what is wrong with it
 */
export function readHeader(item: CsvItem | undefined): Header {
  if (!item) throw badHeader('is missing: the file is empty');
  if ('fault' in item) throw badHeader(`cannot be read: ${item.fault}`);
  const names = item.cells.map((cell) => cell.trim());
  if (names.length === 1 && /[;\t]/.test(names[0]!))
    throw badHeader('has one column only: separate the columns with commas');
  if (names.length > limits.columns) throw badHeader(`has more than ${limits.columns} columns`);
  const seen = new Set<string>();
  const columns = names.map((name, index) => {
    const column = byName.get(name.toLowerCase());
    const key = column ?? name;
    if (name === '') throw badHeader(`has no name for column ${index + 1}`);
    if (unprintable.test(name))
      throw badHeader(`has control characters in the name of column ${index + 1}: save the file as CSV UTF-8`);
    if (name.length > limits.attributeName)
      throw badHeader(`has a name longer than ${limits.attributeName} characters in column ${index + 1}`);
    if (seen.has(key)) throw badHeader(`names ${key} twice`);
    seen.add(key);
    return column ? { known: column } : { attribute: name };
  });
  if (!identifying.some((name) => seen.has(name))) {
    throw badHeader(`has none of ${identifying.join(', ')}: one of them must say who the contact is`);
  }
  return { columns };
}

// oxlint-disable-next-line no-control-regex -- what is looked for
const unprintable = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/;

/** Thrown within this file: the reason a row is rejected. */
class Rejection extends Error {}

const reject = (column: string, what: string): never => {
  throw new Rejection(`${column}: ${what}`);
};

const widths: Partial<Record<Column, number>> = {
  firstName: limits.name,
  lastName: limits.name,
  mobile: limits.phone,
  homePhone: limits.phone,
  email: limits.email,
  postalCode: limits.postalCode,
  timeZone: limits.timeZone,
  consentMethod: limits.method,
  consentEvidence: limits.evidence,
  consentSource: limits.source,
};

const noPhone = {
  invalid: 'this number cannot exist; expected 10 digits, or + and the country code',
  extension: 'this number has an extension, which cannot be texted; expected the number alone',
  not_a_number: 'this is not a phone number; expected one like +14155550123',
} as const;

function phone(column: 'mobile' | 'homePhone', written: string | null): string | null {
  if (written === null) return null;
  const parsed = parsePhone(written);
  if (parsed.status === 'valid') return parsed.number;
  return reject(column, noPhone[parsed.status]);
}

const knownZones = new Map<string, boolean>();
function zone(name: string | null): string | null {
  if (name === null) return null;
  let valid = knownZones.get(name);
  if (valid === undefined) {
    valid = isTimeZone(name);
    if (knownZones.size < 1_000) knownZones.set(name, valid);
  }
  return valid ? name : reject('timeZone', 'this time zone is unknown; expected one like America/Chicago');
}

function listNames(cell: string | null, always: string | undefined): string[] {
  const names = [...(always === undefined ? [] : [always]), ...(cell ?? '').split(';').map((name) => name.trim())];
  const wanted = [...new Set(names.filter((name) => name !== ''))];
  if (wanted.length > limits.lists) reject('lists', `there are more than ${limits.lists} lists`);
  if (wanted.some((name) => name.length > limits.listName)) {
    reject('lists', `a list's name is longer than ${limits.listName} characters`);
  }
  return wanted;
}

function consented(cell: string | null): readonly Purpose[] {
  const word = cell?.toLowerCase() ?? '';
  if (word === '') return [];
  if (word === 'both') return purposes;
  const purpose = purposes.find((name) => name === word);
  return purpose ? [purpose] : reject('consent', 'expected transactional, promotional or both');
}

/** The cells by column, trimmed; null where empty. */
function cellsOf({ columns }: Header, cells: readonly string[]) {
  if (cells.length > columns.length) reject('row', `it has ${cells.length} columns, the header has ${columns.length}`);
  if (cells.length < columns.length)
    reject('row', `it has only ${cells.length} columns, the header has ${columns.length}`);
  const values: Partial<Record<Column, string | null>> = {};
  const attributes: [string, string][] = [];
  for (const [index, column] of columns.entries()) {
    const value = cells[index]!.trim();
    const name = 'known' in column ? column.known : column.attribute;
    if (unprintable.test(value)) reject(name, 'it contains control characters; expected text');
    const width = 'known' in column ? widths[column.known] : limits.attribute;
    if (width !== undefined && value.length > width) reject(name, `it is longer than ${width} characters`);
    if ('known' in column) values[column.known] = value === '' ? null : value;
    else if (value !== '') attributes.push([name, value]);
  }
  if (attributes.length > limits.attributes) reject('row', `it has more than ${limits.attributes} attributes`);
  return { values, attributes: Object.fromEntries(attributes) };
}

/**
 * Reads one row.
 *
 * @param list the list that every contact of the file is put on
 * @returns the row, or the reason it is rejected: the column and what is expected
 */
export function readRow(
  header: Header,
  { line, cells }: { line: number; cells: readonly string[] },
  list: string | undefined,
): ImportRow | { reason: string } {
  try {
    const { values, attributes } = cellsOf(header, cells);
    const { firstName = null, lastName = null, email = null, postalCode = null } = values;
    const mobile = phone('mobile', values.mobile ?? null);
    const homePhone = phone('homePhone', values.homePhone ?? null);
    if (email !== null && !emailSchema.safeParse(email).success) {
      reject('email', 'this is not an email address; expected one like ada@example.com');
    }
    if (!(mobile ?? homePhone ?? email ?? firstName ?? lastName)) {
      reject('row', `it is empty; expected at least one of ${identifying.join(', ')}`);
    }
    if (postalCode !== null && !postalCodePattern.test(postalCode)) {
      reject('postalCode', 'this is not a postal code; expected one like 73301 or K1A 0B1');
    }
    const timeZone = zone(values.timeZone ?? null);
    const lists = listNames(values.lists ?? null, list);
    const granted = consented(values.consent ?? null);
    if (granted.length && !mobile) reject('consent', 'consent is for a mobile number, and the row has none');
    const method = values.consentMethod ?? 'import';
    const evidence = values.consentEvidence ?? `CSV import line ${line}`;
    const source = values.consentSource ?? null;
    const consent = granted.length ? { purposes: granted, method, evidence, source } : null;
    return { firstName, lastName, mobile, homePhone, email, postalCode, timeZone, attributes, lists, consent };
  } catch (error) {
    if (error instanceof Rejection) return { reason: error.message };
    throw error;
  }
}
