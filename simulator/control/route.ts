/** What the control routes share. */
import type { z } from 'zod';
import type { World } from '../world.ts';

export interface ControlCall {
  world: World;
  /** The values in the path. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Parsed JSON; undefined when there was no body. */
  body: unknown;
}

export interface ControlAnswer {
  status: number;
  body?: unknown;
}

export type ControlHandler = (call: ControlCall) => ControlAnswer | Promise<ControlAnswer>;

/** Something wrong with what was sent: the path of it, and what it should be. */
interface Fault {
  path: string;
  message: string;
}

/** Answered as `{ error, errors: [{ path, message }] }`. */
export class ControlError extends Error {
  override name = 'ControlError';
  readonly status: number;
  readonly errors: Fault[];

  constructor(status: number, message: string, errors: Fault[] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }

  toJSON(): Record<string, unknown> {
    return { error: this.message, errors: this.errors };
  }
}

/** What is wrong, with its whole path: Zod keeps what is wrong within keys and alternatives to itself. */
function faultsOf(issue: z.core.$ZodIssue, above: readonly PropertyKey[] = []): Fault[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => faultsOf(inner, path));
  if (issue.code !== 'invalid_union') return [{ path: path.map(String).join('.'), message: issue.message }];
  // The alternative that was meant is the one that got furthest. Where none got anywhere, each is told.
  const reach = (inner: readonly z.core.$ZodIssue[]) => Math.max(0, ...inner.map((one) => one.path.length));
  const furthest = Math.max(0, ...issue.errors.map(reach));
  const faults = issue.errors
    .filter((inner) => reach(inner) === furthest)
    .flatMap((inner) => inner.flatMap((one) => faultsOf(one, path)));
  if (furthest > 0) return faults;
  const messages = new Set(faults.map(({ message }) => message));
  return [{ path: path.map(String).join('.'), message: [...messages].join(', or ') }];
}

/**
 * Checks a value against a schema.
 *
 * @throws {ControlError} 400 that lists each fault with its path
 */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => faultsOf(issue));
  const text = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new ControlError(400, text, errors);
}

/** What a path names, or 404. */
export function found<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new ControlError(404, `There is no ${what}`);
  return thing;
}

/** The query string as an object; a name given twice counts once. */
export function queryOf({ query }: ControlCall): Record<string, string> {
  return Object.fromEntries(query);
}
