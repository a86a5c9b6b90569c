/** Evidence: judged by its content, kept once, and opened by anybody who has its address. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { evidenceToShow } from '../../../db/registration/evidence.ts';
import type { Api, Organization } from '../support.ts';
import { bluebird, force, formOf, jpeg, pdf, png, startWithTemporal, upload } from './support.ts';

let api: Api;
let acme: Organization;
beforeAll(async () => {
  ({ api } = await startWithTemporal());
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await bluebird(api);
});

const send = (...files: Parameters<typeof formOf>) => upload(api, acme, formOf(...files));
const listed = async () => (await acme.client.get('/v1/registration')).body.evidence;
/** The public address on the server that this test runs. */
const here = (url: string) => url.replace('https://longwave.test', api.url);

describe('is what its bytes say', () => {
  test.each([
    ['a PNG', png, 'image/png'],
    ['a JPEG', jpeg, 'image/jpeg'],
    ['a PDF', pdf, 'application/pdf'],
  ])('%s, whatever its name and declared type', async (_what, content, mediaType) => {
    const { status, body } = await send({ content, name: 'form.html', type: 'text/html' });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.stringMatching(/^evd_/),
        fileName: 'form.html',
        mediaType,
        size: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        url: expect.stringMatching(/^https:\/\/longwave\.test\/evidence\/[\w-]{43}$/),
        at: expect.any(String),
        superseded: false,
      },
    });
    expect(await listed()).toEqual([body]);
    const { body: log } = await acme.client.get('/v1/audit-log');
    expect(log.items[0]).toMatchObject({ action: 'registration.evidence_added', subject: body.id });
  });

  test.each([
    ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>'), 'unsupported_file_type'],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'unsupported_file_type'],
    ['a GIF', Buffer.from('GIF89a\u0001\0\u0001\0\0\0\0;'), 'unsupported_file_type'],
    ['nothing', Buffer.alloc(0), 'empty_file'],
  ])('%s that is called a PNG is refused', async (_what, content, reason) => {
    expect(await send({ content })).toMatchObject({ status: 422, body: { reason } });
    expect(await listed()).toEqual([]);
  });
});

describe('the form has one file in the field `file`', () => {
  const boundary = 'multipart/form-data; boundary=x';
  test.each<[string, () => FormData | string, string | undefined, string]>([
    ['no file', () => formOf(), undefined, 'file'],
    ['two files', () => formOf({ content: png }, { content: png }), undefined, 'file'],
    ['another field', () => formOf({ field: 'evidence', content: png }), undefined, 'file'],
    ['another field beside it', () => formOf({ content: png }, { field: 'more', content: png }), undefined, 'file'],
    [
      'a text instead',
      () => '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhi\r\n--x--\r\n',
      boundary,
      'file',
    ],
    ['an empty body', () => '', boundary, 'file'],
    [
      'a form that ends too early',
      () => '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhi',
      boundary,
      'body',
    ],
    ['no boundary', () => 'hi', 'multipart/form-data', 'body'],
  ])('%s is a 400 that says so', async (_what, form, type, path) => {
    const answer = await upload(api, acme, form(), type === undefined ? {} : { 'content-type': type });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('JSON is not read at all', async () => {
    expect(await upload(api, acme, '{}', { 'content-type': 'application/json' })).toMatchObject({ status: 415 });
  });
});

test.each([5 * 1024 * 1024 + 1, 20 * 1024 * 1024])('%i bytes are too large, which names the limit', async (size) => {
  const content = Buffer.concat([png, Buffer.alloc(size - png.length)]);
  const answer = await send({ content });
  expect(answer).toMatchObject({ status: 413, body: { detail: expect.stringContaining('5 MiB') } });
  expect(await listed()).toEqual([]);
});

test('exactly 5 MiB are kept, byte by byte', async () => {
  const content = Buffer.concat([png, Buffer.alloc(5 * 1024 * 1024 - png.length, 7)]);
  const { status, body } = await send({ content });
  expect(status).toBe(201);
  const opened = await fetch(here(body.url));
  expect(Buffer.from(await opened.arrayBuffer()).equals(content)).toBe(true);
});

test('names are kept without folders and without what is not seen', async () => {
  const names = [
    'C:\\fakepath\\opt in.png',
    '../../etc/passwd',
    'a\u202Egnp.exe',
    '   ',
    'Écran №1.png',
    'x'.repeat(500),
  ];
  const kept: string[] = [];
  for (const name of names) kept.push((await send({ content: png, name })).body.fileName);
  expect(kept).toEqual(['opt in.png', 'passwd', 'agnp.exe', 'evidence.png', 'Écran №1.png', 'x'.repeat(120)]);
});

test('ten files are kept, also when twenty come at once', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => send({ content: png })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  expect(answers.find(({ status }) => status !== 201)).toMatchObject({
    status: 422,
    body: { reason: 'too_many_files' },
  });
  expect(await listed()).toHaveLength(10);
});

describe('after a rejection', () => {
  let attempts = 0;
  /** The campaign was submitted and rejected; the registration waits for corrections. */
  const reject = async () => {
    attempts += 1;
    api.clock.advance(1_000);
    const at = api.clock.now();
    await api.database.system
      .insertInto('registration_attempts')
      .values({
        organization_id: acme.id,
        part: 'campaign',
        number: attempts,
        actor: 'user:x',
        begun_at: at,
        submitted_at: at,
        decided_at: at,
        outcome: 'failed',
      })
      .execute();
    await force(api, acme, { state: 'submitted', brand_status: 'verified', campaign_status: 'failed' });
    api.clock.advance(1_000);
  };
  const add = async (name: string) => expect((await send({ content: png, name })).status).toBe(201);
  const names = async () => {
    const items: { fileName: string; superseded: boolean }[] = await listed();
    const of = (superseded: boolean) => items.filter((one) => one.superseded === superseded).map((one) => one.fileName);
    return { shown: of(false), superseded: of(true) };
  };
  /** What the next submission would name, by file name. */
  const shown = async () => {
    const items: { fileName: string; url: string }[] = await listed();
    const rows = await api.database.inOrganization(acme.id, (trx) => evidenceToShow(trx, acme.id));
    return rows.map(({ token }) => items.find(({ url }) => url.endsWith(token))!.fileName);
  };

  test('what reviewers saw is superseded once there is something newer, and not shown to them again', async () => {
    await add('a');
    await add('b');
    expect(await shown()).toEqual(['b', 'a']);
    await reject();
    // Nothing better is there yet.
    expect(await names()).toEqual({ shown: ['a', 'b'], superseded: [] });
    await add('c');
    await add('d');
    expect(await names()).toEqual({ shown: ['c', 'd'], superseded: ['a', 'b'] });
    expect(await shown()).toEqual(['d', 'c']);
  });

  test('it stays superseded when the next submission is rejected too', async () => {
    await add('a');
    await reject();
    await add('b');
    await reject();
    expect(await names()).toEqual({ shown: ['b'], superseded: ['a'] });
    expect(await shown()).toEqual(['b']);
    await add('c');
    expect(await names()).toEqual({ shown: ['c'], superseded: ['a', 'b'] });
  });

  test("its address is served as before, and another organization's rejections change nothing", async () => {
    const stranger = await bluebird(api);
    const theirs = await upload(api, stranger, formOf({ content: png }));
    await add('a');
    const [{ url }] = await listed();
    await reject();
    await add('b');
    expect((await fetch(here(url))).status).toBe(200);
    expect((await stranger.client.get('/v1/registration')).body.evidence).toEqual([theirs.body]);
  });

  test('ten more are kept', async () => {
    const ten = async () => {
      for (let n = 0; n < 10; n += 1) await add(`${n}`);
      expect((await send({ content: png })).body.reason).toBe('too_many_files');
    };
    await ten();
    await reject();
    await ten();
    expect(await listed()).toHaveLength(20);
    expect((await shown()).length).toBe(10);
  });
});

describe('with an Idempotency-Key', () => {
  const once = (content: Buffer, name = 'a.png') =>
    upload(api, acme, formOf({ content, name }), { 'idempotency-key': 'once' });

  test('the same file is kept once, although the form around it differs', async () => {
    const first = await once(png);
    const again = await once(png);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await listed()).toHaveLength(1);
  });

  test('another file, or another name, is another request', async () => {
    await once(png);
    for (const answer of [await once(pdf), await once(png, 'b.png')]) {
      expect(answer).toMatchObject({ status: 422, body: { reason: 'idempotency_key_reused' } });
    }
  });
});

describe('its public address', () => {
  test('shows the file to anybody, and lets it do nothing', async () => {
    const { body } = await send({ content: png, name: 'Écran "1".png' });
    const opened = await fetch(here(body.url));
    expect(opened.status).toBe(200);
    expect(Object.fromEntries(opened.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(png.length),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': `inline; filename="_cran 1.png"; filename*=UTF-8''%C3%89cran%201.png`,
      'cache-control': 'private, max-age=31536000, immutable',
    });
    expect(Buffer.from(await opened.arrayBuffer()).equals(png)).toBe(true);
    const head = await fetch(here(body.url), { method: 'HEAD' });
    expect(head.headers.get('content-type')).toBe('image/png');
  });

  test('shows a PDF without a sandbox, in which browsers would not', async () => {
    const { body } = await send({ content: pdf });
    const opened = await fetch(here(body.url));
    expect(opened.headers.get('content-type')).toBe('application/pdf');
    expect(opened.headers.get('content-security-policy')).toBe("default-src 'none'");
    expect(opened.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(['x', 'A'.repeat(43), '%00', '../v1/registration', 'evd_1'])('%s is unknown', async (token) => {
    const { status, headers } = await fetch(`${api.url}/evidence/${token.replace('../', '..%2f')}`);
    expect({ status, type: headers.get('content-type') }).toEqual({
      status: expect.any(Number),
      type: expect.stringContaining('application/problem+json'),
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(405);
  });
});
