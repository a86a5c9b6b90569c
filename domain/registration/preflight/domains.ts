/** Addresses of pages and mailboxes, and whether they belong to one company. */

/** A page that reviewers can open, or why it is none. */
export type Page = { ok: true; host: string; secure: boolean } | { ok: false; problem: string };

/** A domain under which a country's companies register theirs. */
const secondLevel = /^(?:com?|org|net|gov|ac|edu)\.[a-z]{2}$/;

export function parsePage(text: string): Page {
  const url = URL.parse(text.trim());
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return { ok: false, problem: 'is not a full web address' };
  const host = url.hostname.replace(/\.$/, '');
  if (/^(?:[\d.]+|\[.*\])$/.test(host)) return { ok: false, problem: 'is a bare IP address instead of a domain' };
  if (!host.includes('.') || /\.(?:localhost|local|internal)$/.test(host))
    return { ok: false, problem: 'can be opened on your own network only' };
  return { ok: true, host, secure: url.protocol === 'https:' };
}

/** The part of a host name that a company registers: `acme.com` of `www.jobs.acme.com`. */
export function registrableDomain(host: string): string {
  const labels = host.trim().toLowerCase().replace(/\.$/, '').split('.');
  return labels.slice(secondLevel.test(labels.slice(-2).join('.')) ? -3 : -2).join('.');
}

export const isEmail = (text: string): boolean =>
  /^[^\s@"<>(),;:]+@(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/i.test(text.trim()) &&
  !/\.\.|^\.|\.@/.test(text.trim());

export const emailDomain = (email: string): string =>
  email
    .slice(email.lastIndexOf('@') + 1)
    .trim()
    .toLowerCase();
