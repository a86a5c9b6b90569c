/** Requests that fit an OpenAPI document more or less: what the fuzz test sends. */
import * as fc from 'fast-check';

// oxlint-disable-next-line typescript/no-explicit-any -- JSON Schema is any JSON
export type Json = any;

export interface Operation {
  method: string;
  path: string;
  operation: Json;
}

const methods = ['get', 'post', 'put', 'patch', 'delete'];

export const operationsOf = (document: Json): Operation[] =>
  Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => ({ method, path, operation: item[method] })),
  );

/** What no schema expects. */
const hostile = fc.constantFrom<Json>(
  null,
  '',
  ' ',
  '\0',
  'a\0b',
  '\uD800',
  'x'.repeat(5_000),
  "' or 1=1; --",
  '%',
  '\\',
  '../../etc/passwd',
  '{{contact.firstName}}',
  '👩‍👩‍👧‍👦',
  '\u202E',
  '2026-13-45T99:99:99Z',
  '9999-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00Z',
  '+1',
  'NaN',
  '1e999',
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e308,
  -0,
  true,
  false,
  [],
  {},
  [null],
  [[[[]]]],
  { length: -1 },
  { toString: 'x', constructor: { prototype: 1 } },
);

const byFormat: Record<string, readonly string[]> = {
  'date-time': ['2026-11-22T15:04:05.000Z', '2031-01-01T00:00:00.000Z'],
  email: ['ada@example.com'],
};

/** In place of an id that is only an example, those of its kind that there are. */
const existing = (examples: readonly string[], known: readonly string[]): readonly string[] =>
  examples.flatMap((example) => {
    const [, kind] = /^([a-z]{3}_)[\da-f-]{36}$/.exec(example) ?? [];
    const ids = kind === undefined ? [] : known.filter((text) => text.startsWith(kind));
    return ids.length > 0 ? ids : [example];
  });

interface Fit {
  document: Json;
  known: readonly string[];
  /** Texts only as the examples are; otherwise anything now and then. */
  exact?: boolean;
}

/** Values that fit a schema, roughly: formats and patterns are tried by their examples. */
function fitting(schema: Json, fit: Fit): fc.Arbitrary<Json> {
  const { document, known, exact = false } = fit;
  if (!schema || schema === true) return fc.jsonValue();
  if (schema.$ref) return fitting(document.components.schemas[schema.$ref.split('/').pop()], fit);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice: Json) => fitting(choice, fit)));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  switch (schema.type) {
    case 'integer':
      return fc.integer({ min: Math.max(schema.minimum ?? -5, -1e6), max: Math.min(schema.maximum ?? 1e6, 2e6) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -5, max: schema.maximum ?? 5, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fitting(schema.items, fit), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case 'object':
      return fittingObject(schema, fit);
    default: {
      const example = fc.constantFrom(...existing(schema.examples ?? byFormat[schema.format] ?? ['Ada'], known));
      if (exact) return example;
      return fc.oneof(
        { weight: 6, arbitrary: example },
        { weight: 1, arbitrary: fc.constantFrom(...known) },
        { weight: 1, arbitrary: fc.string({ maxLength: Math.min(schema.maxLength ?? 30, 300) }) },
      );
    }
  }
}

function fittingObject(schema: Json, fit: Fit): fc.Arbitrary<Json> {
  const fields = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, child]) => [
      name,
      // A list is meant by its name.
      name === 'list' ? fc.constantFrom(...fit.known.filter((text) => text.endsWith(' list'))) : fitting(child, fit),
    ]),
  );
  const record = fc.record(fields, { requiredKeys: schema.required ?? [] });
  const extra = schema.additionalProperties;
  if (typeof extra !== 'object' || Object.keys(extra).length === 0) return record;
  return fc.dictionary(fc.string({ maxLength: 10 }), fitting(extra, fit), { maxKeys: 4 });
}

/** Breaks one field of an object, or adds one. */
const broken = (valid: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.tuple(valid, fc.nat(), hostile, fc.boolean()).map(([value, pick, replacement, add]) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return replacement;
    const names = add ? ['nonsense'] : Object.keys(value);
    return names.length ? { ...value, [names[pick % names.length]!]: replacement } : replacement;
  });

export interface FuzzRequest {
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Half a surrogate pair cannot be written in UTF-8. */
const asText = (value: Json): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed();

const encoded = (value: Json): string => {
  // Dots alone would be taken for folders.
  return encodeURIComponent(asText(value)).replaceAll(/^\.+$/g, '%00') || '-';
};

const rawBodies = fc.constantFrom(
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '{"__proto__":{}}',
  '\0',
  `{"a":${'['.repeat(200)}`,
  'a,b\n"',
);
const contentTypes = [
  'application/json',
  'text/csv',
  'application/x-www-form-urlencoded',
  'text/plain',
  'application/xml',
  'multipart/form-data',
  'nonsense',
  'application/json; charset=latin1',
];

const boundary = 'fuzz';

/** A form whose fields are files; some are what they say. */
function multipart(value: Json): string {
  const fields = value !== null && typeof value === 'object' ? Object.entries<Json>(value) : [['file', value] as const];
  const parts = fields.map(([name, child]) => {
    const content = asText(child);
    // Every other file is a PDF by its first bytes.
    const start = content.length % 2 === 0 ? '%PDF-1.7\n' : '';
    const disposition = `form-data; name="${encodeURIComponent(name)}"; filename="${encodeURIComponent(content.slice(0, 40))}"`;
    return `--${boundary}\r\nContent-Disposition: ${disposition}\r\n\r\n${start}${content}\r\n`;
  });
  return `${parts.join('')}--${boundary}--\r\n`;
}

function bodyOf(
  { operation }: Operation,
  document: Json,
  known: readonly string[],
): fc.Arbitrary<Pick<FuzzRequest, 'body' | 'headers'>> {
  const content = operation.requestBody?.content;
  if (!content) return fc.constant({ body: undefined, headers: {} });
  const [type, media] = Object.entries<Json>(content)[0]!;
  const exact = fitting(media.schema, { document, known, exact: true });
  const valid = fitting(media.schema, { document, known });
  const write = (value: Json): string => {
    if (type.includes('json')) return JSON.stringify(value);
    if (type.startsWith('multipart')) return multipart(value);
    if (type.includes('form'))
      return new URLSearchParams(
        Object.entries<Json>(value ?? {}).map(([name, child]): [string, string] => [name, asText(child)]),
      ).toString();
    return `mobile,firstName,consent\n${typeof value === 'string' ? value : JSON.stringify(value)}\n4155550100,x,both`;
  };
  const right = { 'content-type': type.startsWith('multipart') ? `${type}; boundary=${boundary}` : type };
  return fc.oneof(
    { weight: 2, arbitrary: exact.map((value) => ({ body: write(value), headers: right })) },
    { weight: 2, arbitrary: valid.map((value) => ({ body: write(value), headers: right })) },
    { weight: 5, arbitrary: broken(valid).map((value) => ({ body: write(value), headers: right })) },
    { weight: 1, arbitrary: fc.jsonValue().map((value) => ({ body: write(value), headers: right })) },
    { weight: 1, arbitrary: rawBodies.map((body) => ({ body, headers: right })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(valid, fc.constantFrom(...contentTypes))
        .map(([value, other]) => ({ body: write(value), headers: { 'content-type': other } })),
    },
  );
}

/** Ids and names to mix in: the caller's own, and those of another tenant. */
export interface Known {
  all: readonly string[];
  /** By the part of a path before an id. */
  byCollection: Readonly<Record<string, readonly string[]>>;
}

/** Requests for one operation. */
export function requestsOf(
  operation: Operation,
  document: Json,
  { all: known, byCollection }: Known,
): fc.Arbitrary<FuzzRequest> {
  const parameters: Json[] = operation.operation.parameters ?? [];
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const pathValue = (name: string) => {
    const [, collection = ''] = new RegExp(`([\\w-]+)/\\{${name}\\}`).exec(operation.path) ?? [];
    return fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...(byCollection[collection] ?? known)) },
      { weight: 2, arbitrary: fc.constantFrom(...known) },
      { weight: 1, arbitrary: hostile },
      { weight: 1, arbitrary: fc.string() },
    );
  };
  const queryValue = ({ schema, example }: Json) => {
    const withExample = example === undefined ? schema : { ...schema, examples: [example] };
    return fc.oneof(
      { weight: 3, arbitrary: fitting(withExample, { document, known, exact: true }) },
      { weight: 1, arbitrary: fitting(withExample, { document, known }) },
      { weight: 1, arbitrary: hostile },
    );
  };
  const cursors = fc.constantFrom(
    '',
    'x',
    '%',
    Buffer.from('"con_\0"').toString('base64url'),
    Buffer.from('9e99').toString('base64url'),
    Buffer.from('9007199254740993').toString('base64url'),
  );
  return fc
    .record({
      path: fc.record(Object.fromEntries(inPath.map(({ name }) => [name, pathValue(name)]))),
      query: fc.record(
        Object.fromEntries(
          inQuery.map((parameter) => [parameter.name, parameter.name === 'cursor' ? cursors : queryValue(parameter)]),
        ),
        { requiredKeys: [] },
      ),
      body: bodyOf(operation, document, known),
      key: fc.option(fc.constantFrom('k', 'k2', '', 'a b', 'x'.repeat(300), 'é'), { nil: undefined }),
    })
    .map(({ path, query, body, key }) => {
      const filled = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encoded((path as Json)[name]));
      const search = Object.entries(query).map(([name, value]) => `${name}=${encoded(value)}`);
      return {
        url: search.length ? `${filled}?${search.join('&')}` : filled,
        headers: { ...body.headers, ...(key !== undefined && { 'idempotency-key': key }) },
        body: body.body,
      };
    });
}
