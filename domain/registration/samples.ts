/** Message samples as people paste them, out of a numbered or quoted list, made into what would be sent (A6). */

/** `Sample 1:`, `Example:`, `Message #2 -`, also alone on a line. `Sample sale today` and `Message from us:` are texts. */
const label =
  /^(?:(?:sample|example)(?:\s(?:message|text|sms))?(?:\s?#?\d{1,2})?|message\s?#?\d{1,2})(?:\n|\s?[:)]|\.(?=\s)|\s[-–—](?=\s))/i;
/** `1.`, `1)`, `1:`, `#1:`. Not `1.5`, `10% off`, `2 new jobs`, `9:30`, `(2) new jobs`. Nobody has more than ten. */
const numbering = /^#?([1-9]|10)(?:\)(?=.)|[.:](?=\s|["'“‘\p{Lu}]))/su;
/** A dash or a star needs a space after it: `-20% today` and `*New*` are texts. */
const bullet = /^(?:[•●▪◦‣·]|[-–—*](?=\s))/u;

const quotes = [
  { opening: '"“”„«', closing: '"“”»' },
  { opening: "'‘’‚", closing: "'‘’" },
] as const;

const without = (pattern: RegExp, text: string): string => text.slice(pattern.exec(text)?.[0].length ?? 0);

/**
 * Takes numbers from the beginning of one sample, and leaves one that starts a list within it: `1. Reply YES 2. Reply
 * NO`. The text only ever gets shorter, so what its middle does not contain needs no second search: a thousand numbers
 * take no thousand passes.
 */
function numbersOf(): (text: string) => string {
  const absent = new Set<number>();
  const continues = (text: string, number: number): boolean => {
    const mark = String.raw`[(#]?${number}[.):]`;
    if (new RegExp(String.raw`^${mark}(?:\s|$)`).test(text)) return true;
    if (new RegExp(String.raw`\s${mark}$`).test(text.slice(-6))) return true;
    if (absent.has(number)) return false;
    const found = new RegExp(String.raw`\s${mark}\s`).test(text);
    if (!found) absent.add(number);
    return found;
  };
  return (text) => {
    const found = numbering.exec(text);
    if (!found) return text;
    const rest = text.slice(found[0].length);
    return continues(rest, Number(found[1]) + 1) ? text : rest;
  };
}

/** Without the quotes that enclose all of it. Those of `"Yes" or "no"` enclose two parts, and stay. */
function withoutQuotes(text: string): string {
  // As copied out of a list in a program: `"…",`.
  const ended = /[,;]/.test(text.at(-1) ?? '') ? text.slice(0, -1) : text;
  for (const { opening, closing } of quotes) {
    if (ended.length < 2 || !opening.includes(ended[0]!) || !closing.includes(ended.at(-1)!)) continue;
    const inner = ended.slice(1, -1);
    for (const { 0: mark, index } of inner.matchAll(new RegExp(`[${opening}${closing}]`, 'gu'))) {
      if (isApostrophe(inner, index)) continue;
      // The next one opens another part inside, or closes the first.
      return index === 0 || /[\s([]/.test(inner[index - 1]!) || '“‘„«‚'.includes(mark) ? inner : text;
    }
    return inner;
  }
  return text;
}

const isApostrophe = (text: string, index: number): boolean =>
  /[\p{L}\p{N}]/u.test(text[index - 1] ?? '') && /[\p{L}\p{N}]/u.test(text[index + 1] ?? '');

/**
 * The text that would be sent: without numbering, labels, bullets and quotes around it, in any nesting, and with single
 * spaces. Cleaning it again changes nothing.
 */
export function cleanSample(text: string): string {
  let cleaned = text.replaceAll(/[\u200B\u2060]/gu, '').replaceAll(/\s+/gu, (gap) => (/[\r\n]/.test(gap) ? '\n' : ' '));
  const withoutNumber = numbersOf();
  let before: string;
  do {
    before = cleaned;
    cleaned = without(label, cleaned.trim()).trimStart();
    cleaned = withoutQuotes(without(bullet, withoutNumber(cleaned).trim()).trim());
  } while (cleaned !== before);
  return cleaned.replaceAll('\n', ' ');
}

/** All samples cleaned, with what was changed, to be shown. */
export function cleanedSamples(samples: readonly string[]): {
  samples: string[];
  changes: { field: string; before: string; after: string }[];
} {
  const cleaned = samples.map(cleanSample);
  const changes = samples.flatMap((before, i) => {
    const after = cleaned[i]!;
    return before === after ? [] : [{ field: `messageSamples[${i}]`, before, after }];
  });
  return { samples: cleaned, changes };
}
