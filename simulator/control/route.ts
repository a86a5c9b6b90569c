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

/** Answered as `{ error, errors: [{ path, message }] }`. */
export class ControlError extends Error {
  override name = 'ControlError';
  readonly status: number;
  readonly errors: { path: string; message: string }[];

  constructor(status: number, message: string, errors: { path: string; message: string }[] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }

  toJSON(): Record<string, unknown> {
    return { error: this.message, errors: this.errors };
  }
}

/**
 * Checks a value against a schema.
 *
 * @throws {ControlError} 400 that lists each fault with its path
 */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
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
