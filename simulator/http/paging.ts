/**
 * Twilio's two shapes of lists. Both carry addresses of other pages on Twilio's real hosts, so that the SDK pages through whatever
 * rewriting brought it here. `PageToken` is opaque to callers; here it is the position after which the page starts.
 */
import { invalidParameter } from './errors.ts';
import type { Call } from './operations.ts';

/** A page cut out of a list: `next` is the token of the page after it, null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

const DEFAULT_PAGE_SIZE = 50;

/** `PageSize`, `Page` and `PageToken` of a request, with Twilio's defaults. */
export function pageRequest(call: Call): { size: number; page: number; token: string | undefined } {
  const { PageSize, Page, PageToken } = call.query as { PageSize?: number; Page?: number; PageToken?: string };
  return { size: PageSize ?? DEFAULT_PAGE_SIZE, page: Page ?? 0, token: PageToken };
}

/**
 * Cuts a page out of a list that fits in memory and is short (accounts, services, numbers: not messages).
 *
 * @param all everything that matches, in the order of the list
 */
export function slicePage<T>(call: Call, all: readonly T[]): Page<T> {
  const { size, page, token } = pageRequest(call);
  const start = token === undefined ? page * size : Number(token.slice(2));
  if (!Number.isInteger(start) || start < 0) throw invalidParameter('PageToken is not one of this list');
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? `PA${end}` : null };
}

function address(call: Call, page: number, size: number, token?: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query)) {
    if (name !== 'PageSize' && name !== 'Page' && name !== 'PageToken') query.append(name, String(value));
  }
  query.set('PageSize', String(size));
  query.set('Page', String(page));
  if (token !== undefined) query.set('PageToken', token);
  return `${call.path}?${query.toString()}`;
}

/** A list of the 2010 API: `{ [key]: items, page, page_size, start, end, uri, first_page_uri, next_page_uri, previous_page_uri }`. */
export function listAnswer2010(call: Call, key: string, page: Page<unknown>): Record<string, unknown> {
  const { size, page: number, token } = pageRequest(call);
  const start = number * size;
  return {
    [key]: page.items,
    page: number,
    page_size: size,
    start,
    end: start + Math.max(page.items.length - 1, 0),
    uri: address(call, number, size, token),
    first_page_uri: address(call, 0, size),
    next_page_uri: page.next === null ? null : address(call, number + 1, size, page.next),
    previous_page_uri: number === 0 ? null : address(call, number - 1, size),
  };
}

/** A list of the newer products: `{ [key]: items, meta: { key, page, page_size, url, first_page_url, … } }`. */
export function listAnswer(call: Call, key: string, page: Page<unknown>): Record<string, unknown> {
  const { size, page: number, token } = pageRequest(call);
  const host = `https://${call.product}.twilio.com`;
  return {
    [key]: page.items,
    meta: {
      key,
      page: number,
      page_size: size,
      url: host + address(call, number, size, token),
      first_page_url: host + address(call, 0, size),
      next_page_url: page.next === null ? null : host + address(call, number + 1, size, page.next),
      previous_page_url: number === 0 ? null : host + address(call, number - 1, size),
    },
  };
}
