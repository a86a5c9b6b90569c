/** The OpenAPI 3.1 document, made from the schemas that validate, and what every route has in common. */
import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { App } from '../deps.ts';
import type { Access } from '../shared/permissions.ts';
import { problemSchema } from '../shared/problems.ts';

type JsonObject = Record<string, unknown>;

const descriptions: Record<number, string> = {
  400: 'The request is malformed; `errors` name each field',
  401: 'No key, or not a valid one',
  403: 'The key or the user lacks a permission; `permission` names it',
  404: "Unknown, or another organization's",
  409: 'Not in this state; `allowed` says what is',
  413: 'The body is too large',
  415: 'Not the content type this route reads',
  422: 'Refused by a rule; `reason` names it',
  429: 'Too much at once; `Retry-After` says when to come back',
  500: 'A fault of the server, logged under `instance`',
  503: 'A server that is needed is away; `Retry-After` says when to come back',
};

const problem = (status: number): JsonObject => ({
  description: descriptions[status],
  content: { 'application/problem+json': { schema: { $ref: `#/components/schemas/${problemSchema.meta()?.id}` } } },
  ...((status === 429 || status === 503) && {
    headers: { 'Retry-After': { type: 'integer', description: 'Seconds' } },
  }),
});

/** The problems a route can answer with, from what it is. */
function problemStatuses(method: string, access: Access | undefined, hasBody: boolean): number[] {
  if (access === 'public' || access === undefined) return [400, 403, 404, 413, 415, 500, 503];
  const statuses = [400, 401, 403, 404, 500, 503];
  if (hasBody) statuses.push(413, 415);
  if (method !== 'GET') statuses.push(409, 422, 429);
  return statuses;
}

const commonHeaders = (method: string, access: Access | undefined): JsonObject => ({
  ...(access !== 'public' &&
    access !== 'operator' &&
    access !== undefined && {
      'Longwave-Organization': {
        type: 'string',
        description: 'With an operator key: the organization to act in',
        examples: ['org_0199a7f0-5a3c-7b1e-9d2f-3c4b5a697887'],
      },
      'Longwave-User': { type: 'string', description: 'With an operator or organization key: the user to act as' },
    }),
  ...(method === 'POST' &&
    access !== 'public' &&
    access !== undefined && {
      'Idempotency-Key': {
        type: 'string',
        minLength: 1,
        maxLength: 255,
        description: 'The same key and body answers the first result again for 24 hours; another body answers 422',
      },
    }),
});

/** Wraps a response schema with a description, as OpenAPI wants it. A problem is described like all of its status. */
function described(status: string, response: JsonObject): JsonObject {
  if ((response['content'] as JsonObject | undefined)?.['application/problem+json']) return problem(Number(status));
  if (response['content'] || response['type'] === 'null') return { description: STATUS_CODES[status], ...response };
  return { description: STATUS_CODES[status], content: { 'application/json': { schema: response } } };
}

function completed(
  { schema, url }: { schema: JsonObject; url: string },
  route: RouteOptions,
): { schema: never; url: string } {
  if (schema['hide']) return { schema: schema as never, url };
  const { access, rawBody } = route.config ?? {};
  const method = [route.method].flat()[0] ?? 'GET';
  const given = Object.entries((schema['response'] ?? {}) as Record<string, JsonObject>);
  const statuses = problemStatuses(method, access, Boolean(schema['body'] ?? rawBody));
  const headers = commonHeaders(method, access);
  const complete = {
    ...schema,
    operationId: schema['operationId'] ?? operationId(method, url),
    ...(rawBody && { body: rawBody.schema, consumes: [rawBody.type] }),
    ...(Object.keys(headers).length && { headers: { type: 'object', properties: headers } }),
    ...(access && access !== 'public' ? { security: [{ key: [] }], 'x-longwave-access': access } : { security: [] }),
    response: {
      ...Object.fromEntries(statuses.map((status) => [status, problem(status)])),
      ...Object.fromEntries(given.map(([status, response]) => [status, described(status, response)])),
    },
  };
  return { schema: complete as never, url };
}

/** Leaves out the components nothing refers to: every schema comes in a form for requests and one for answers. */
function withoutUnused<T extends { components: { schemas: Record<string, unknown> } }>(document: T): T {
  const { schemas } = document.components;
  const used = new Set<string>();
  const pending = [JSON.stringify({ ...document, components: {} })];
  for (let json = pending.pop(); json !== undefined; json = pending.pop()) {
    for (const [, name = ''] of json.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (!used.has(name)) pending.push(JSON.stringify(schemas[name]));
      used.add(name);
    }
  }
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas: kept } };
}

/** `POST /v1/contacts/:id/consent` → `postContactsIdConsent`. */
const operationId = (method: string, url: string): string =>
  method.toLowerCase() +
  url
    .replace(/^\/v1/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('');

const introduction = `The SMS backend behind your product.

Operator keys name the organization they act in with the header \`Longwave-Organization\`; organization keys may act as
a user with \`Longwave-User\`; user keys are that user. Errors are \`application/problem+json\` (RFC 9457). Every \`POST\`
takes an \`Idempotency-Key\`. Lists take \`limit\` and \`cursor\` and answer \`{ items, nextCursor }\`.
\`x-longwave-access\` on each operation is the permission it needs.`;

/** Registers the document and its pages; before any route, so that it sees them all. */
export async function addOpenApi(app: App, publicUrl: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: { title: 'Longwave', version: '1', description: introduction },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key' } } },
    },
    transform: (input) => completed(jsonSchemaTransform(input) as never, input.route),
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document) as never),
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
