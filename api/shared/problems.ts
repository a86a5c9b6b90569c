/** Errors as callers see them: RFC 9457 problem documents. Throw one anywhere below a handler. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';

export interface FieldError {
  /** `sendWindow.startTime`, `lists.3`; the part of the request when it is wrong as a whole. */
  path: string;
  message: string;
}

interface ProblemOptions {
  status: number;
  /** Ends `/problems/…`. */
  slug: string;
  /** What is wrong and what to do about it. */
  detail: string;
  /** Further members of the document. */
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
}

export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly slug: string;
  readonly members: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor({ status, slug, detail, members = {}, headers = {} }: ProblemOptions) {
    super(detail);
    this.status = status;
    this.slug = slug;
    this.members = members;
    this.headers = headers;
  }

  /** The document; `instance` names this one occurrence. */
  toDocument(instance: string): Record<string, unknown> {
    const title = titles[this.slug] ?? STATUS_CODES[this.status] ?? 'Error';
    return {
      type: `/problems/${this.slug}`,
      title,
      status: this.status,
      detail: this.message,
      instance,
      ...this.members,
    };
  }
}

const titles: Record<string, string> = {
  'bad-request': 'The request is not valid',
  unauthorized: 'Authentication is needed',
  forbidden: 'Not permitted',
  'not-found': 'Not found',
  unavailable: 'A needed server is away',
  internal: 'Something went wrong',
};

/** 400: the request is malformed; `errors` name each field. */
export const invalid = (
  errors: FieldError[],
  detail = 'Correct the fields named in `errors` and send it again.',
): Problem => new Problem({ status: 400, slug: 'bad-request', detail, members: { errors } });

/** 401 with how to authenticate. */
export const unauthorized = (detail: string): Problem =>
  new Problem({
    status: 401,
    slug: 'unauthorized',
    detail,
    headers: { 'www-authenticate': 'Bearer realm="longwave"' },
  });

/** 403 that names what is lacking. */
export const forbidden = (detail: string, permission?: string): Problem =>
  new Problem({ status: 403, slug: 'forbidden', detail, members: permission ? { permission } : {} });

/** 404: unknown, or another tenant's; the two cannot be told apart. */
export const notFound = (what: string): Problem =>
  new Problem({
    status: 404,
    slug: 'not-found',
    detail: `There is no such ${what} here: check the id and the organization.`,
  });

/** 409: not in this state. @param allowed what can be done instead */
export const conflict = (slug: string, detail: string, allowed: readonly string[] = []): Problem =>
  new Problem({ status: 409, slug, detail, members: { allowed } });

/** 422: understood, but refused by a rule. @param reason `snake_case`, for programs */
export const refused = (reason: string, detail: string, members: Record<string, unknown> = {}): Problem =>
  new Problem({ status: 422, slug: reason.replaceAll('_', '-'), detail, members: { reason, ...members } });

/** 429 with when to come back. @param retryAfter seconds */
export const tooMany = (detail: string, retryAfter: number): Problem =>
  new Problem({ status: 429, slug: 'too-many-requests', detail, headers: { 'retry-after': String(retryAfter) } });

/** 503: a server that is needed is away. @param retryAfter seconds */
export const unavailable = (what: string, retryAfter = 5, members: Record<string, unknown> = {}): Problem =>
  new Problem({
    status: 503,
    slug: 'unavailable',
    detail: `${what} cannot be reached at the moment: send the request again in ${retryAfter} seconds.`,
    members,
    headers: { 'retry-after': String(retryAfter) },
  });

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: 'Which kind of problem, as a path' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What is wrong here and what to do about it' }),
    instance: z.string().optional().meta({ description: 'Names this occurrence; also in the logs' }),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'With 400' }),
    permission: z.string().optional().meta({ description: 'With 403: the permission that is lacking' }),
    allowed: z.array(z.string()).optional().meta({ description: 'With 409: what can be done in this state' }),
    reason: z.string().optional().meta({ description: 'With 422: the rule, for programs' }),
  })
  .meta({
    id: 'Problem',
    examples: [
      {
        type: '/problems/bad-request',
        title: 'The request is not valid',
        status: 400,
        detail: 'Correct the fields named in `errors` and send it again.',
        errors: [{ path: 'mobile', message: 'is not a phone number: write it like +14155550123' }],
      },
    ],
  });

/** In a route's `response`: a problem that is not among those its kind of route always has. Of GETs these are 409, 422 and 429. */
export const problemAnswer = { content: { 'application/problem+json': { schema: problemSchema } } };
