/** Validation of what comes in: the Zod schemas of the routes, and what no schema should have to repeat. */
import { safeParse, type $ZodIssue, type $ZodType } from 'zod/v4/core';
import type { FastifyRequest, FastifySchemaCompiler } from 'fastify';
import type { App } from '../deps.ts';
import { type FieldError, invalid, Problem } from '../shared/problems.ts';

const maxDepth = 32;
const parts = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' } as const;

/** Validates with the route's Zod schema; a failure becomes a 400 that names every field at fault. */
const validatorCompiler: FastifySchemaCompiler<$ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const result = safeParse(schema, data);
    if (result.success) return { value: result.data };
    const part = parts[httpPart as keyof typeof parts] ?? 'body';
    return { error: invalid(result.error.issues.flatMap((issue) => fieldErrors(issue, part))) };
  };

function fieldErrors(issue: $ZodIssue, part: string): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    const message = issue.message.startsWith('Unrecognized') ? 'is not a field of this request' : issue.message;
    return issue.keys.map((key) => ({ path: [...issue.path, key].join('.').slice(0, 200), message }));
  }
  return [{ path: issue.path.join('.').slice(0, 200) || part, message: issue.message }];
}

/** Why Postgres could not store this text, or null. */
const unstorable = (text: string): string | null => {
  if (text.includes('\0')) return 'must not contain NUL characters';
  return text.isWellFormed() ? null : 'must not contain half of a surrogate pair';
};

/**
 * Looks through a parsed body, query or path without recursion: depth is the sender's choice.
 *
 * @throws {Problem} 400 for text that Postgres cannot store, and for nesting that nothing here needs
 */
function inspect(value: unknown, part: string): void {
  const stack: { value: unknown; path: string; depth: number }[] = [{ value, path: '', depth: 0 }];
  for (let item = stack.pop(); item; item = stack.pop()) {
    const { value, path, depth } = item;
    if (typeof value === 'string') {
      const reason = unstorable(value);
      if (reason) throw invalid([{ path: path || part, message: reason }]);
    } else if (value !== null && typeof value === 'object') {
      if (depth >= maxDepth) throw invalid([{ path: part, message: `is nested more than ${maxDepth} levels deep` }]);
      for (const [key, child] of Object.entries(value)) {
        const reason = unstorable(key);
        if (reason) throw invalid([{ path: path || part, message: `has a field whose name ${reason}` }]);
        stack.push({ value: child, path: (path ? `${path}.${key}` : key).slice(0, 200), depth: depth + 1 });
      }
    }
  }
}

/** @throws {Problem} 400 for what no schema should have to look for */
export function requireReadable(request: FastifyRequest): void {
  inspect(request.params, 'path');
  inspect(request.query, 'query');
  if (!request.routeOptions.config.rawBody) inspect(request.body, 'body');
  // A route with a body schema validates `undefined` too, but says "body: expected object" less helpfully.
  const bodySchema = request.routeOptions.schema?.body as $ZodType | undefined;
  if (request.body === undefined && bodySchema && !safeParse(bodySchema, undefined).success) {
    throw new Problem({
      status: 400,
      slug: 'bad-request',
      detail: 'This request needs a JSON body: send one with Content-Type: application/json.',
      members: { errors: [{ path: 'body', message: 'is missing' }] },
    });
  }
}

/** Checks every request before its schema does. */
export function addInputChecks(app: App): void {
  app.setValidatorCompiler(validatorCompiler);
  // Clients send the header with every POST, also where there is nothing to say.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body, done);
  });
  app.addHook('preValidation', async (request) => {
    if (!request.routeOptions.config.isSigned) requireReadable(request);
  });
}
