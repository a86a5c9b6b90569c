/** How Twilio writes identifiers and dates, and where a server listens. */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';

const POOL_BYTES = 16 * 512;
let pool = Buffer.alloc(0);
let used = 0;

/** 32 random hexadecimal digits. Bytes are drawn in bulk: one system call per SID would show at thousands of messages a second. */
export function randomHex(): string {
  if (used >= pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + 16);
  used += 16;
  return hex;
}

/** A new SID: a two-letter prefix (`SM`, `MG`, …) and 32 hexadecimal digits. */
export function newSid(prefix: string): string {
  return prefix + randomHex();
}

let rfcSecond = -1;
let rfcText = '';

/** RFC 2822, as the 2010 API writes dates: `Thu, 24 Aug 2023 05:01:45 +0000`. */
export function rfc2822(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== rfcSecond) {
    rfcSecond = second;
    rfcText = new Date(second * 1000).toUTCString().replace('GMT', '+0000');
  }
  return rfcText;
}

/** ISO 8601 to the second, as the newer products write dates: `2023-08-24T05:01:45Z`. */
export function iso8601(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** The port a listening server got. */
export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port');
  return address.port;
}
