/** Merge codes: `{{contact.firstName}}` and the like, replaced by what they stand for. */

/** Of the contact, the user and the organization: any message may hold them. */
export const personalCodes = ['contact.firstName', 'contact.lastName', 'user.name', 'organization.name'] as const;

/** Of what a message is about: each needs to be told which job, page and so on is meant. */
export const directoryCodes = [
  'job.title',
  'job.url',
  'careerSite.url',
  'page.url',
  'campaign.landingPageUrl',
  'talentNetwork.joinUrl',
] as const;
export type DirectoryCode = (typeof directoryCodes)[number];

export const mergeCodes: readonly string[] = [...personalCodes, ...directoryCodes];

/**
 * White space is cut off the code and not matched: beside other repetitions, a long run of it would be tried in every
 * division, for minutes.
 */
const written = /\{\{([^{}]*)\}\}/g;

/** Every merge code in `body`, once, in order; white space inside the braces does not matter. */
export function mergeCodesIn(body: string): string[] {
  return [...new Set([...body.matchAll(written)].map((match) => match[1]!.trim()))];
}

/** The codes in `body` that are not among those it may hold. */
export const unknownMergeCodes = (body: string, mayHold: readonly string[] = mergeCodes): string[] =>
  mergeCodesIn(body).filter((code) => !mayHold.includes(code));

/** Codes as they are written in a text, for sentences: `{{a}}, {{b}} and {{c}}`. */
export function codesInWords(codes: readonly string[], conjunction = 'and'): string {
  const written = codes.map((code) => `{{${code}}}`);
  const last = written.pop() ?? '';
  return written.length === 0 ? last : `${written.join(', ')} ${conjunction} ${last}`;
}

/** What is wrong with a text that holds unknown codes, and what it may hold; follows the name of the field. */
export function unknownCodesMessage(unknown: readonly string[], mayHold: readonly string[] = mergeCodes): string {
  const named = codesInWords(unknown);
  const shown = named.length > 300 ? `${named.slice(0, 300)}…` : named;
  return `holds ${shown}, which stands for nothing here: use ${codesInWords(mayHold, 'or')}`;
}

/** Replaces the codes that `values` has, and writes the others in one form: `{{code}}` without white space. */
export function merge(body: string, values: Partial<Record<string, string>>): string {
  return body.replaceAll(written, (_, inside: string) => values[inside.trim()] ?? `{{${inside.trim()}}}`);
}

/** Texts and codes by turns, a text first: for who fills them in elsewhere, where no value may be taken for a code. */
export const textsAndCodes = (body: string): string[] =>
  body.split(written).map((part, index) => (index % 2 === 0 ? part : part.trim()));
