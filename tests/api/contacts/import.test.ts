import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Api, type Client, type Organization, startApi } from '../support.ts';

let api: Api;
let organization: Organization;
let client: Client;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  organization = await api.organization();
  client = organization.client;
});

const csv = (...lines: string[]): string => lines.join('\n');
const upload = (body: string | Uint8Array, query = '', headers: Record<string, string> = {}) =>
  client.post(`/v1/contacts/import${query}`, body, { 'content-type': 'text/csv', ...headers });
const all = async (query = 'limit=200') => (await client.get(`/v1/contacts?${query}`)).body.items;

test('imports every known column, and any other column as an attribute', async () => {
  const answer = await upload(
    csv(
      'firstName,lastName,mobile,homePhone,email,postalCode,timeZone,lists,consent,consentMethod,consentEvidence,shirt size',
      'Ada,"Love ""L"" lace",(415) 555-0123,415-555-0199,ada@example.com,94103,America/Los_Angeles,"vip; spring ",both,paper,"form 7, page 2",XL',
    ),
  );
  expect(answer).toMatchObject({ status: 200, body: { imported: 1, updated: 0, rejected: [], rejectedCount: 0 } });
  const [contact] = await all();
  expect(contact).toMatchObject({
    firstName: 'Ada',
    lastName: 'Love "L" lace',
    mobile: '+14155550123',
    homePhone: '+14155550199',
    email: 'ada@example.com',
    postalCode: '94103',
    timeZone: 'America/Los_Angeles',
    lists: ['spring', 'vip'],
    attributes: { 'shirt size': 'XL' },
    consent: { transactional: true, promotional: true },
    phoneStatus: 'valid',
  });
  const ledger = (await client.get(`/v1/contacts/${contact.id}/consent`)).body.items;
  expect(ledger).toMatchObject([
    {
      purpose: 'transactional',
      granted: true,
      method: 'paper',
      evidence: 'form 7, page 2',
      phoneNumber: '+14155550123',
    },
    { purpose: 'promotional', granted: true, method: 'paper', evidence: 'form 7, page 2' },
  ]);
});

test('consent without a method or evidence names the import and the line', async () => {
  await upload(csv('mobile,consent', '4155550123,', '4155550124,Promotional'));
  const [, contact] = await all();
  expect(contact.consent).toEqual({ transactional: false, promotional: true });
  const ledger = (await client.get(`/v1/contacts/${contact.id}/consent`)).body.items;
  expect(ledger).toMatchObject([{ method: 'import', evidence: 'CSV import line 3' }]);
});

test('a row updates the contact with its mobile number; empty cells leave values as they are', async () => {
  const made = await client.post('/v1/contacts', {
    firstName: 'Ada',
    mobile: '+14155550123',
    attributes: { a: '1', b: '2' },
  });
  const answer = await upload(csv('firstName,lastName,mobile,b', ',Lovelace,415 555 0123,3'));
  expect(answer.body).toMatchObject({ imported: 0, updated: 1 });
  const contact = (await client.get(`/v1/contacts/${made.body.id}`)).body;
  expect(contact).toMatchObject({ firstName: 'Ada', lastName: 'Lovelace', attributes: { a: '1', b: '3' } });
});

test('a row without a mobile number updates the contact with its email, whatever its case', async () => {
  const made = await client.post('/v1/contacts', { email: 'Ada@Example.com' });
  expect((await upload(csv('email,firstName', 'ada@example.COM,Ada'))).body).toMatchObject({ imported: 0, updated: 1 });
  expect((await client.get(`/v1/contacts/${made.body.id}`)).body.firstName).toBe('Ada');
});

test('a row matched by email finds the contact that an earlier row of the file has just made', async () => {
  const answer = await upload(csv('mobile,email,firstName', '4155550123,ada@example.com,A', ',ada@example.com,Ada'));
  expect(answer.body).toMatchObject({ imported: 1, updated: 1 });
  expect(await all()).toMatchObject([{ mobile: '+14155550123', firstName: 'Ada' }]);
});

test('within one file the later row of a number wins and counts as updated', async () => {
  const answer = await upload(csv('mobile,firstName,lastName', '4155550123,Ada,King', '+1 415 555 0123,Augusta,'));
  expect(answer.body).toMatchObject({ imported: 1, updated: 1 });
  expect(await all()).toMatchObject([{ firstName: 'Augusta', lastName: 'King' }]);
});

test('?list= puts every contact on the list in the order of the file, made when it is missing', async () => {
  await upload(csv('mobile,lists', '4155550123,a;b', '4155550124,', '4155550123,c'), '?list=spring%20fair');
  const onList = await all('list=spring%20fair');
  expect(onList.map((contact: { mobile: string }) => contact.mobile)).toEqual(['+14155550123', '+14155550124']);
  expect(onList[0].lists).toEqual(['a', 'b', 'c', 'spring fair']);
});

test('an import never lifts an opt-out, and never makes a bounced number valid', async () => {
  const number = '+14155550123';
  const at = api.clock.now();
  await api.database.system
    .insertInto('opt_outs')
    .values({ id: 'opt_1', phone_number: number, method: 'keyword', at })
    .execute();
  const made = await client.post('/v1/contacts', { mobile: number });
  await api.database.system
    .updateTable('contacts')
    .set({ phone_status: 'invalid' })
    .where('id', '=', made.body.id)
    .execute();
  await upload(csv('mobile,consent', `${number},both`));
  expect(await all()).toMatchObject([
    { optedOut: true, phoneStatus: 'invalid', consent: { transactional: true, promotional: true } },
  ]);
  await api.database.system.deleteFrom('opt_outs').execute();
});

const header = 'firstName,mobile,homePhone,email,postalCode,timeZone,lists,consent,extra';
const badRows: [string, string | Buffer, RegExp][] = [
  ['a word for a phone number', 'Ada,call me,,,,,,,', /mobile: .*not a phone number/],
  ['a phone number that cannot exist', 'Ada,415555,,,,,,,', /mobile: .*cannot exist/],
  ['an extension', 'Ada,415-555-0123 x5,,,,,,,', /mobile: .*has an extension/],
  ['an area code that nobody can have', 'Ada,+10004567890,,,,,,,', /mobile: .*cannot exist/],
  ['a bad home phone', 'Ada,,home,,,,,,', /homePhone: .*not a phone number/],
  ['nothing that says who it is', ',,,,94103,,,,x', /row: it is empty/],
  ['a bad email', 'Ada,,,ada@,,,,,', /email: .*not an email/],
  ['an unknown time zone', 'Ada,,,,,Mars/Olympus,,,', /timeZone: .*unknown/],
  ['a fixed offset for a time zone', 'Ada,,,,,+05:00,,,', /timeZone: .*unknown/],
  ['a bad postal code', 'Ada,,,,what?,,,,', /postalCode: /],
  ['a bad consent value', 'Ada,4155550123,,,,,,yes,', /consent: expected/],
  ['consent without a mobile number', 'Ada,,,,,,,both,', /consent: .*has none/],
  ['too many columns', 'Ada,,,,,,,,,more', /row: it has 10 columns/],
  ['too few columns', 'Ada,4155550123', /row: it has only 2 columns/],
  ['a quotation mark within a cell', 'A"da,,,,,,,,', /quotation mark stands in the wrong place/],
  ['text after a closing quotation mark', '"A"da,,,,,,,,', /quotation mark stands in the wrong place/],
  ['a quotation mark that is never closed', '"Ada,,,,,,,,', /quotation mark opens in this row and is never closed/],
  ['an over-long field', `${'x'.repeat(201)},,,,,,,,`, /firstName: it is longer than 200/],
  ['an over-long attribute', `Ada,,,,,,,,${'x'.repeat(1_001)}`, /extra: it is longer than 1000/],
  ['a NUL character', 'A\0da,,,,,,,,', /firstName: it contains control characters/],
  ['an escape character', 'Ada,,,,,,,,\u001B[31m', /extra: it contains control characters/],
  [
    'bytes that are not UTF-8',
    Buffer.from([0x41, 0xe9, 0x64, 0x2c, 0x2c, 0x2c, 0x2c, 0x2c, 0x2c, 0x2c, 0x2c]),
    /UTF-8/,
  ],
  [
    'too many lists',
    `Ada,,,,,,${Array.from({ length: 21 }, (_, n) => `l${n}`).join(';')},,`,
    /lists: there are more than 20/,
  ],
  ["a list's over-long name", `Ada,,,,,,${'l'.repeat(201)},,`, /lists: a list's name is longer/],
  ['an over-long row', `Ada,,,,,,,,${'x'.repeat(70_000)}`, /the row is longer than/],
];

test.each(badRows)(
  'rejects a row with %s, by line and reason, and keeps the rows around it',
  async (_what, row, reason) => {
    const bytes = Buffer.concat([
      Buffer.from(`${header}\nGood,4155550101,,,,,,,\n`),
      Buffer.from(row),
      Buffer.from('\nFine,"4155550102",,,,,,,\nLast,4155550103,,,,,,,\n'),
    ]);
    const { status, body } = await upload(bytes);
    expect(status).toBe(200);
    expect(body).toMatchObject({ imported: 3, updated: 0, rejectedCount: 1 });
    expect(body.rejected).toEqual([{ line: 3, reason: expect.stringMatching(reason) }]);
  },
);

test('lines are those of the file, across a byte order mark, CRLF, blank lines and cells of several lines', async () => {
  const text =
    '\uFEFFfirstName,mobile\r\n\r\n"Ada\r\nLovelace",4155550123\r\n  \r\nBob,bad\r\n\r\n"C""\n\nD",worse\r\nEve,4155550124';
  const { body } = await upload(text);
  expect(body.imported).toBe(2);
  expect(body.rejected.map(({ line }: { line: number }) => line)).toEqual([6, 8]);
  expect((await all())[0].firstName).toBe('Ada\r\nLovelace');
});

test.each([
  ['an empty file', '', /missing/],
  ['an empty name', 'mobile,,email', /no name for column 2/],
  ['a name twice', 'mobile,email,Mobile', /mobile twice/],
  ['an attribute twice', 'mobile,size,size', /size twice/],
  ['no column that says who', 'size,colour', /none of/],
  ['semicolons', 'mobile;email', /commas/],
  ['control characters', 'mobile,a\0b', /control characters/],
  ['an open quotation mark', '"mobile,email\n1,2', /cannot be read/],
  ['UTF-16', Buffer.from('\uFEFFmobile,email', 'utf16le'), /UTF-8/],
  ['an over-long name', `mobile,${'x'.repeat(101)}`, /longer than 100/],
  ['too many columns', `mobile,${Array.from({ length: 120 }, (_, n) => `c${n}`).join()}`, /more than 120/],
])('a header with %s is a 400', async (_what, body, message) => {
  const answer = await upload(body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0]).toMatchObject(
    body === '' ? { message: expect.any(String) } : { path: 'header', message: expect.stringMatching(message) },
  );
});

test.each([
  ['only', 'firstName,mobile\r"Ada\rLovelace",4155550123\rBob,bad\r\rEve,4155550124\r'],
  ['in the last rows', 'firstName,mobile\n"Ada\rLovelace",4155550123\nBob,bad\r\rEve,4155550124'],
])('CR as old Macs end lines, %s, loses nothing', async (_where, file) => {
  expect((await upload(file)).body).toEqual({
    imported: 2,
    updated: 0,
    rejected: [{ line: 4, reason: expect.stringContaining('mobile') }],
    rejectedCount: 1,
  });
  expect((await all()).map(({ firstName }: { firstName: string }) => firstName)).toEqual(['Ada\rLovelace', 'Eve']);
});

test('at most 10,000 rejected rows are listed, and all are counted', async () => {
  const { body } = await upload(`mobile\n${'x\n'.repeat(10_050)}4155550123\n`);
  expect(body.rejected).toHaveLength(10_000);
  expect(body).toMatchObject({ rejectedCount: 10_050, imported: 1 });
});

test('the same Idempotency-Key and file answers the first result; another file is refused', async () => {
  const key = { 'idempotency-key': 'import-1' };
  const file = csv('mobile,consent', '4155550123,both', 'x,');
  const first = await upload(file, '?list=a', key);
  const again = await upload(file, '?list=a', key);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(await upload(`${file}\n4155550124,`, '?list=a', key)).toMatchObject({
    status: 422,
    body: { reason: 'idempotency_key_reused' },
  });
  expect(await upload(file, '?list=b', key)).toMatchObject({ status: 422 });
  expect(await all()).toHaveLength(1);
});

test('the same file sent twice at once under one key is imported once', async () => {
  const key = { 'idempotency-key': 'import-2' };
  const file = csv(
    'mobile,consent',
    ...Array.from({ length: 3_000 }, (_, n) => `415555${String(n).padStart(4, '0')},both`),
  );
  const [one, two] = await Promise.all([upload(file, '', key), upload(file, '', key)]);
  expect(one.body).toEqual({ imported: 3_000, updated: 0, rejected: [], rejectedCount: 0 });
  expect(two.body).toEqual(one.body);
});

test('two imports at once make one contact of each number', async () => {
  const file = csv('mobile', ...Array.from({ length: 2_500 }, (_, n) => `415555${String(n).padStart(4, '0')}`));
  const [one, two] = await Promise.all([upload(file), upload(file)]);
  expect(one.body.imported + two.body.imported).toBe(2_500);
  expect(one.body.updated + two.body.updated).toBe(2_500);
});

test('more imports at once than the process takes are told when to come back', async () => {
  const stalled = () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    writer.write(Buffer.from('mobile\n')).catch(() => {});
    // The two that are refused have lost their reader.
    return { sent: upload(readable as never), end: () => writer.close().catch(() => {}) };
  };
  const answered: number[] = [];
  const uploads = Array.from({ length: 6 }, stalled);
  const answers = uploads.map(({ sent }) => sent.then(({ status }) => answered.push(status)));
  await expect.poll(() => answered, { timeout: 20_000 }).toEqual([429, 429]);
  for (const { end } of uploads) await end();
  await Promise.all(answers);
  expect(answered).toEqual([429, 429, 200, 200, 200, 200]);
  expect((await upload('mobile\n4155550123\n')).status).toBe(200);
});

test('another content type is a 415, and no body a 400', async () => {
  expect((await upload('{}', '', { 'content-type': 'application/json' })).status).toBe(415);
  expect((await client.post('/v1/contacts/import')).status).toBe(400);
});
