/** Evidence: judged by its content, kept once, and opened by anybody who has its address. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Api, Organization } from '../support.ts';
import { bluebird, formOf, jpeg, pdf, png, startWithTemporal, upload } from './support.ts';

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
