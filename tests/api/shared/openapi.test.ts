/** The OpenAPI document: complete, consistent, and about every route. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, describe, expect, test } from 'vitest';
import { permissions } from '../../../api/shared/permissions.ts';
import { type Json, operationsOf } from './fuzz-requests.ts';
import { startApi } from '../support.ts';

const api = await startApi();
afterAll(() => api.stop());
const document: Json = (await api.client(null).get('/openapi.json')).body;
const operations = operationsOf(document);

test('is OpenAPI 3.1 and open to anyone, as is its page', async () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  const page = await api.client(null).get('/docs');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
});

test('operation ids are unique, and references lead somewhere', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name,
  );
  for (const name of references) expect(document.components.schemas).toHaveProperty(name!);
  expect(Object.keys(document.components.schemas).toSorted()).toEqual(
    [...new Set(references)].toSorted((a, b) => (a! < b! ? -1 : 1)),
  );
});

test('every schema in it compiles, and its examples fit', () => {
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  ajv.addSchema(document, 'document');
  for (const [name, schema] of Object.entries<Json>(document.components.schemas)) {
    const validate = ajv.getSchema(`document#/components/schemas/${name}`)!;
    for (const example of schema.examples ?? [])
      expect(validate(example), `${name}: ${ajv.errorsText(validate.errors)}`).toBe(true);
  }
});

describe.each(operations)('$method $path', ({ method, path, operation }) => {
  test('has a summary, a tag, an answer when all goes well, and problem documents for the rest', () => {
    expect(operation.summary).toEqual(expect.stringMatching(/\w/));
    expect(operation.tags).toHaveLength(1);
    const statuses = Object.keys(operation.responses);
    expect(statuses.some((status) => status.startsWith('2'))).toBe(true);
    for (const status of statuses) {
      const response = operation.responses[status];
      expect(response.description).not.toBe('Default Response');
      if (Number(status) < 400) continue;
      expect(response.content).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
      if (status === '429' || status === '503') expect(response.headers).toHaveProperty('Retry-After');
    }
  });

  test('says who may call it, and with which headers', () => {
    const headers = (operation.parameters ?? [])
      .filter((parameter: Json) => parameter.in === 'header')
      .map(({ name }: Json) => name);
    if (!path.startsWith('/v1')) {
      expect(operation.security).toEqual([]);
      return;
    }
    expect(operation.security).toEqual([{ key: [] }]);
    expect(['operator', 'member', ...permissions]).toContain(operation['x-longwave-access']);
    if (operation['x-longwave-access'] !== 'operator')
      expect(headers).toEqual(expect.arrayContaining(['Longwave-Organization', 'Longwave-User']));
    expect(headers.includes('Idempotency-Key')).toBe(method === 'post');
    for (const status of ['401', '403', '500', '503']) expect(operation.responses).toHaveProperty(status);
    if (path.includes('{')) expect(operation.responses).toHaveProperty('404');
  });
});

test.each([
  ['/v1/numbers/available', ['400', '401', '403', '409', '422', '500', '503']],
  ['/v1/notifications', ['400', '401', '403', '422', '500', '503']],
  ['/v1/events', ['400', '401', '403', '429', '500', '503']],
])('GET %s says every problem it may answer: %j', (path, problems) => {
  const { responses } = document.paths[path].get;
  expect(Object.keys(responses)).toEqual(expect.arrayContaining(problems));
});
