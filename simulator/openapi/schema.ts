/** Twilio's OpenAPI documents as JSON Schema, and the two validators: one for requests, one for answers. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { amend } from './beyond.ts';

/** A product is the first label of Twilio's host name and the first segment of a path here. */
export type Product = 'api' | 'messaging' | 'trusthub' | 'events';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  oneOf?: Schema[];
  required?: string[];
  enum?: unknown[];
  [key: string]: unknown;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

/** An operation as the document writes it. */
export interface RawOperation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

export interface OpenApiDocument {
  paths: Record<string, Partial<Record<string, RawOperation>>>;
  components: { schemas: Record<string, Schema> };
}

const FILES: [Product, string][] = [
  ['api', 'twilio_api_v2010.json'],
  ['messaging', 'twilio_messaging_v1.json'],
  ['trusthub', 'twilio_trusthub_v1.json'],
  ['events', 'twilio_events_v1.json'],
];

const isUrl = (text: string) => text === '' || /^https?:\/\/[^\s/?#]+/i.test(text);
const isTime = (text: string) => !Number.isNaN(Date.parse(text));

/** Formats that say nothing a pattern or a list of values does not, or that a handler checks with an error code of its own. */
const LOOSE_FORMATS = [
  'phone-number',
  'phone-number-capabilities',
  'iso-country-code',
  'uri-map',
  'http-method',
  'int64',
  'currency',
  'email',
  'date',
];

/** Converts form and query values to the types of the document: `"5"` to 5, `"true"` to true, one value to a list of one. */
export const requestAjv = new Ajv({ strict: false, coerceTypes: 'array', validateSchema: false });
export const answerAjv = new Ajv({ strict: false, validateSchema: false });

for (const ajv of [requestAjv, answerAjv]) {
  for (const name of LOOSE_FORMATS) ajv.addFormat(name, true);
  ajv.addFormat(
    'date-time-rfc-2822',
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/,
  );
}
// An empty URL clears one. In answers Twilio uses `uri` for paths as well.
requestAjv.addFormat('uri', isUrl);
answerAjv.addFormat('uri', true);
requestAjv.addFormat('date-time', isTime);
answerAjv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

/** OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, and references get the id of their document. */
export function toJsonSchema(product: Product, schema: Schema): Schema {
  const { nullable, example: _, 'x-twilio': __, deprecated: ___, description: ____, ...rest } = schema;
  const result: Schema = rest;
  if (schema.$ref !== undefined) result.$ref = schema.$ref.replace('#', `${product}#`);
  if (schema.items !== undefined) result.items = toJsonSchema(product, schema.items);
  if (schema.properties !== undefined) result.properties = mapSchemas(product, schema.properties);
  if (schema.oneOf !== undefined) result.oneOf = schema.oneOf.map((one) => toJsonSchema(product, one));
  if (nullable !== true) return result;
  if (result.enum !== undefined) result.enum = [...result.enum, null];
  if (typeof result.type === 'string') result.type = [result.type, 'null'];
  return result.$ref === undefined ? result : { anyOf: [result, { type: 'null' }] };
}

function mapSchemas(product: Product, schemas: Record<string, Schema>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toJsonSchema(product, schema)]));
}

/** A request has no parameter but those of the document: Twilio ignores others, but a twin should find a typo. */
export function closedRequest(schema: Schema): Schema {
  return { ...schema, additionalProperties: false };
}

/** An answer has every property of its schema and no other, which is more than the document asks for. */
export function closedAnswer(schema: Schema): Schema {
  if (schema.properties === undefined) return schema;
  return { ...schema, additionalProperties: false, required: Object.keys(schema.properties) };
}

/** Reads the documents and makes their schemas known to both validators as `product#/components/schemas/…`. Once per process. */
export function loadDocuments(): [Product, OpenApiDocument][] {
  return FILES.map(([product, file]) => {
    const document: OpenApiDocument = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
    amend(product, document);
    const schemas = mapSchemas(product, document.components.schemas);
    const strict = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closedAnswer(schema)]));
    requestAjv.addSchema({ $id: product, components: { schemas } });
    answerAjv.addSchema({ $id: product, components: { schemas: strict } });
    return [product, document];
  });
}
