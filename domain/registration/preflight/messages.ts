/** The samples themselves, as they will be sent. */
import type { IntakeDraft } from '../intake.ts';
import { type Finding, finding, type PreflightContext } from './findings.ts';
import { hasLink, hasPhone, namesOneOf, shortenerIn, tellsOptOut } from './text.ts';

const counted = (indices: readonly number[]): string =>
  indices.length === 1 ? `Sample ${indices[0]! + 1}` : `Samples ${indices.map((i) => i + 1).join(', ')}`;

/** The samples without something that all should have: an error when none has it, warnings otherwise. */
function lacking(
  samples: readonly string[],
  has: (sample: string) => boolean,
  what: 'brand' | 'opt_out',
  words: { all: string; one: string; remedy: string },
): Finding[] {
  const without = samples.flatMap((sample, i) => (has(sample) ? [] : [i]));
  if (samples.length > 0 && without.length === samples.length)
    return [finding(`samples_without_${what}`, 'messageSamples', words.all, words.remedy)];
  return without.map((i) => finding(`sample_without_${what}`, `messageSamples[${i}]`, words.one, words.remedy));
}

/** A flag and the samples must tell the same. */
function declared(
  what: 'link' | 'phone',
  field: 'hasEmbeddedLinks' | 'hasEmbeddedPhone',
  draft: IntakeDraft,
  samples: readonly string[],
): Finding[] {
  const has = what === 'link' ? hasLink : hasPhone;
  const noun = what === 'link' ? 'link' : 'phone number';
  const flag = draft[field] === true;
  const showing = samples.flatMap((sample, i) => (has(sample) ? [i] : []));
  if (!flag && showing.length > 0)
    return [
      finding(
        `${what}_not_declared`,
        field,
        `${counted(showing)} contain${showing.length === 1 ? 's' : ''} a ${noun}, but it was not declared that messages do.`,
        `Declare it (${field}: true), or take every ${noun} out of the samples.`,
      ),
    ];
  if (flag && showing.length === 0 && samples.length > 0)
    return [
      finding(
        `${what}_not_shown`,
        field,
        `It was declared that messages contain ${noun}s, but no sample does.`,
        what === 'link'
          ? `Add one on the company's own website to a sample, such as "https://www.example.com/[page]", or do not declare it (${field}: false).`
          : `Add the company's to a sample, such as "Questions? Call 512-555-0100", or do not declare it (${field}: false).`,
      ),
    ];
  return [];
}

/** The letters of a text without what changes from message to message. */
const gist = (sample: string): string =>
  sample
    .replaceAll(/\[[^[\]]*\]|\{[^{}]*\}/g, '')
    .replaceAll(/[^\p{L}]/gu, '')
    .toLowerCase();

function eachFindings(samples: readonly string[]): Finding[] {
  return samples.flatMap((sample, i) => {
    const field = `messageSamples[${i}]`;
    const found: Finding[] = [];
    if (sample.length < 20 || sample.length > 1024)
      found.push(
        finding(
          'sample_length',
          field,
          `Sample ${i + 1} has ${sample.length} characters; 20 to 1024 are allowed.`,
          'Write the whole message as it will be sent, with the company name and "Reply STOP to opt out".',
        ),
      );
    const shortener = shortenerIn(sample);
    if (shortener !== null)
      found.push(
        finding(
          'url_shortener',
          field,
          `Sample ${i + 1} has a link of ${shortener}, which hides where it leads; carriers block such messages.`,
          "Replace it with the full link on the company's own website.",
        ),
      );
    return found;
  });
}

export function sampleFindings(draft: IntakeDraft, { organization }: PreflightContext): Finding[] {
  const samples = draft.messageSamples ?? [];
  if (samples.length === 0) return [];
  const found = eachFindings(samples);
  if (samples.length < 2 || samples.length > 5)
    found.push(
      finding(
        'sample_count',
        'messageSamples',
        `There ${samples.length === 1 ? 'is one sample' : `are ${samples.length} samples`}; two to five are wanted.`,
        samples.length < 2
          ? 'Add at least one more message of another kind, as it will be sent.'
          : 'Keep the five that differ most.',
      ),
    );
  if (samples.length > 1 && new Set(samples.map(gist)).size === 1)
    found.push(
      finding(
        'samples_alike',
        'messageSamples',
        'All samples are the same message.',
        'Show a different kind of message in each, such as a reminder, an offer and an answer.',
      ),
    );
  const names = [draft.legalName ?? '', organization.name];
  const name = organization.name || 'the company';
  return [
    ...found,
    ...lacking(samples, (sample) => namesOneOf(sample, names), 'brand', {
      all: 'No sample says which company sends it.',
      one: 'This sample does not say which company sends it.',
      remedy: `Begin the message with the name: "${name}: …".`,
    }),
    ...lacking(samples, tellsOptOut, 'opt_out', {
      all: 'No sample says how to stop the messages.',
      one: 'This sample does not say how to stop the messages.',
      remedy: 'End the message with "Reply STOP to opt out."',
    }),
    ...declared('link', 'hasEmbeddedLinks', draft, samples),
    ...declared('phone', 'hasEmbeddedPhone', draft, samples),
  ];
}
