/** The results: the table that is printed and `results.json`. */
import type { Spread } from './measure.ts';

export interface Result {
  measurement: string;
  /** What it is compared with; null where it stands alone. */
  against: string | null;
  unit: string;
  ours: Spread;
  theirs: Spread | null;
  /** Median by median; null where it stands alone. */
  ratio: number | null;
  /** In words; null where nothing is aimed at. */
  aim: string | null;
  /** Null where nothing is aimed at, or sizes are too small to judge. */
  met: boolean | null;
}

/** What a ratio or, where there is none, our median is to be. */
export interface Aim {
  least?: number;
  most?: number;
  /** Judges every value of ours, not the median alone. */
  always?: boolean;
}

interface Comparison {
  measurement: string;
  against?: string;
  unit: string;
  ours: Spread;
  theirs?: Spread;
  aim?: Aim;
}

export function result(given: Comparison, { judge }: { judge: boolean }): Result {
  const { measurement, against = null, unit, ours, theirs = null, aim } = given;
  const ratio = theirs && ours.median / theirs.median;
  const scale = theirs?.median ?? 1;
  const [low, high] = aim?.always ? [ours.min / scale, ours.max / scale] : [ours.median / scale, ours.median / scale];
  const met = aim ? low >= (aim.least ?? -Infinity) && high <= (aim.most ?? Infinity) : null;
  return { measurement, against, unit, ours, theirs, ratio, aim: aim ? wording(aim) : null, met: judge ? met : null };
}

function wording({ least, most, always }: Aim): string {
  const limits = [...(least === undefined ? [] : [`≥ ${least}`]), ...(most === undefined ? [] : [`≤ ${most}`])];
  return limits.join(' and ') + (always ? ', always' : '');
}

const figure = (value: number): string => {
  if (Number.isNaN(value)) return 'n/a';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
};

const spread = (of: Spread | null): string =>
  of === null
    ? ''
    : of.min === of.max
      ? figure(of.median)
      : `${figure(of.min)} / ${figure(of.median)} / ${figure(of.max)}`;

/** One line per result; several values are smallest / median / largest. */
export function table(results: readonly Result[]): string {
  const rows = [
    ['measurement', 'unit', 'ours', 'against', 'theirs', 'ratio', 'aim', 'met'],
    ...results.map(({ measurement, unit, ours, against, theirs, ratio, aim, met }) => [
      measurement,
      unit,
      spread(ours),
      against ?? '',
      spread(theirs),
      ratio === null ? '' : ratio.toFixed(2),
      aim ?? '',
      met === null ? '' : met ? 'yes' : 'NO',
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n');
}
