/**
 * How a resource is registered: an object whose keys are `operationId`s of Twilio's OpenAPI documents and whose values answer them.
 * The table is checked at start, so a misspelt operation is found at once.
 */
import type { Account } from '../accounts/account.ts';
import type { Values } from '../openapi/operation.ts';
import type { Product } from '../openapi/schema.ts';

/** One authenticated, validated request. */
export interface Call {
  product: Product;
  /** Path on Twilio's host, without the query: `/2010-04-01/Accounts/AC…/Messages.json`. */
  path: string;
  /** The account the request acts on: the one in the path, or that of the credentials. */
  account: Account;
  /** The account whose credentials were given: `account` itself or its parent. */
  caller: Account;
  /** The values in the path. */
  params: Record<string, string | undefined>;
  query: Values;
  form: Values;
  /** `X-Twilio-Api-Version`: asks campaigns for their newer fields. */
  apiVersion: string | undefined;
}

/** What an operation answers; `body` is left out of a 204. */
export interface Answer {
  status: number;
  body?: unknown;
}

export type Operations = Record<string, (call: Call) => Answer | Promise<Answer>>;

/** 200 with a body. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** 201 with the new resource. */
export function created(body: unknown): Answer {
  return { status: 201, body };
}

/** 204: deleted. */
export function deleted(): Answer {
  return { status: 204 };
}
