/** Merge codes: `{{contact.firstName}}` and the like, replaced for each recipient. */

/** Those that differ from contact to contact, by the column they come from. */
const contactMergeCodes = { 'contact.firstName': 'first_name', 'contact.lastName': 'last_name' } as const;

const known = new Set([...Object.keys(contactMergeCodes), 'organization.name', 'user.name']);

/** Every merge code in `body`, once, in order; white space inside the braces does not matter. */
export function mergeCodesIn(body: string): string[] {
  return [...new Set([...body.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map((match) => match[1]!))];
}

/** The codes in `body` that nothing can replace. */
export const unknownMergeCodes = (body: string): string[] => mergeCodesIn(body).filter((code) => !known.has(code));

/** Replaces the codes that `values` has, and writes the others in one form: `{{code}}` without white space. */
export function merge(body: string, values: Partial<Record<string, string>>): string {
  return body.replaceAll(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, code: string) => values[code] ?? `{{${code}}}`);
}
