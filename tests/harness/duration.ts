/** Durations as tests write them. */
import { Duration } from 'luxon';

const part = String.raw`\d+(?:\.\d+)?\s+[a-z]+`;
const phrase = new RegExp(`^${part}(?:(?:,|,? and)?\\s+${part})*$`, 'i');

/**
 * @param text amounts with their units (`'7 days'`, `'1 day 2 hours'`), or ISO 8601 (`'P7D'`)
 * @returns ISO 8601
 * @throws for anything else, rather than for a part of it
 */
export function isoDuration(text: string): string {
  const given = text.trim();
  const duration = given.startsWith('P') ? Duration.fromISO(given) : fromPhrase(given);
  // Null of what is invalid.
  const iso = duration?.toISO();
  if (iso) return iso;
  throw new Error(`'${text}' is no duration: write '7 days', '1 day 2 hours' or 'P7D'.`);
}

function fromPhrase(given: string): Duration | undefined {
  if (!phrase.test(given)) return undefined;
  try {
    return [...given.matchAll(/([\d.]+)\s+([a-z]+)/gi)]
      .map(([, amount, unit]) => Duration.fromObject({ [unit!.toLowerCase()]: Number(amount) }))
      .reduce((sum, one) => sum.plus(one));
  } catch {
    // A unit that does not exist.
    return undefined;
  }
}
