/**
 * Subjects that are forbidden or have to be declared. One rule tells an offer, which blocks, from a mention, which does
 * not: a sample offers what it names, and so does a sentence of the description that has a word of offering in it,
 * unless the sample or sentence also has a word of another context, such as addiction, work or law.
 */
import type { IntakeDraft } from '../intake.ts';
import { type Finding, finding } from './findings.ts';
import { claims } from './text.ts';
import {
  ageGated,
  ageGatedContexts,
  type Context,
  contexts,
  emergency,
  forbiddenSubjects,
  lending,
  notAgeGated,
  offering,
  prohibitions,
  workFromHome,
} from './words.ts';

interface Passage {
  text: string;
  /** Whether what is named here is offered, unless the context is another. */
  offers: boolean;
}

interface Text {
  field: string;
  /** Sentences of prose, or one sample. */
  passages: Passage[];
}

const withoutProhibitions = (text: string): string =>
  prohibitions.reduce((rest, pattern) => rest.replaceAll(pattern, ' '), text);

/** All texts that reviewers read. Prose may name what is not sent; samples speak literally. */
function texts({ description, messageFlow, messageSamples }: IntakeDraft): Text[] {
  const passage = (text: string, offers: boolean): Passage => ({ text: withoutProhibitions(text), offers });
  return [
    { field: 'description', passages: claims(description ?? '').map((text) => passage(text, offering.test(text))) },
    { field: 'messageFlow', passages: claims(messageFlow ?? '').map((text) => passage(text, false)) },
    ...(messageSamples ?? []).map((sample, i) => ({
      field: `messageSamples[${i}]`,
      passages: [passage(sample, true)],
    })),
  ];
}

/** The first word that is offered, or else the first that is mentioned. */
function named(
  passages: readonly Passage[],
  pattern: RegExp,
  exempting: readonly Context[],
): { word: string; offered: boolean } | null {
  const all = passages.flatMap(({ text, offers }) => {
    const word = pattern.exec(text)?.[0];
    return word === undefined
      ? []
      : [{ word, offered: offers && !exempting.some((context) => contexts[context].test(text)) }];
  });
  return all.find(({ offered }) => offered) ?? all[0] ?? null;
}

const forbiddenFindings = ({ field, passages }: Text): Finding[] =>
  forbiddenSubjects.flatMap(({ name, twilioCode, pattern, contexts, doubtful }) => {
    const found = named(passages, pattern, contexts);
    if (!found) return [];
    return found.offered && !doubtful
      ? [
          finding(
            'forbidden_content',
            field,
            `"${found.word}": carriers do not allow texts about ${name}, and refuse such a campaign for good.`,
            'Take it out if the company does not text about it. If it does, do not submit: the fee would be lost.',
            twilioCode,
          ),
        ]
      : [
          finding(
            'forbidden_mention',
            field,
            `"${found.word}" may be taken for texts about ${name}, which carriers do not allow and refuse for good.`,
            'If the company texts about something else, say here what, or use other words. If it does text about this, do not submit: the fee would be lost.',
            twilioCode,
          ),
        ];
  });

function wordingFindings({ field, passages }: Text): Finding[] {
  const found = forbiddenFindings({ field, passages });
  const text = passages.map(({ text }) => text).join('\n');
  if (found.length === 0 && workFromHome.test(text))
    found.push(
      finding(
        'work_from_home',
        field,
        'Work from home is a frequent subject of fraud, and reviewers may refuse it.',
        'Name the real job and employer, and write "remote" instead: "Acme Staffing: remote accountant position at [employer]."',
      ),
    );
  const alarm = emergency.exec(text);
  if (alarm)
    found.push(
      finding(
        'emergency_wording',
        field,
        `"${alarm[0]}" may be taken for emergency alerts of an authority, which this kind of campaign is not for.`,
        'If these are notices to people who signed up, such as closings or schedule changes, say so; such notices are allowed, and the wording may stay.',
      ),
    );
  return found;
}

function ageFindings(all: readonly Text[]): Finding[] {
  const passages = all
    .flatMap(({ passages }) => passages)
    .map(({ text, offers }) => ({ text: text.replaceAll(notAgeGated, ' '), offers }));
  const found = named(passages, ageGated, ageGatedContexts);
  if (!found) return [];
  return found.offered
    ? [
        finding(
          'age_gate_not_declared',
          'ageGated',
          `"${found.word}" is for adults only, and it was not declared that people's age is checked.`,
          "Ask for the date of birth where people opt in and declare it (ageGated: true), or take the word out if that is not the company's business.",
        ),
      ]
    : [
        finding(
          'age_gate_mention',
          'ageGated',
          `"${found.word}" is for adults only; reviewers may expect that people's age is checked.`,
          'Leave it if the company does not advertise it. If it does, ask for the date of birth where people opt in and declare it (ageGated: true).',
        ),
      ];
}

function lendingFindings(all: readonly Text[]): Finding[] {
  const loan = all
    .flatMap(({ passages }) => passages)
    .map(({ text }) => lending.exec(text)?.[0])
    .find((word) => word !== undefined);
  if (loan === undefined) return [];
  return [
    finding(
      'lending_not_declared',
      'directLending',
      `"${loan}" is about lending money, and it was not declared that the company does so itself.`,
      "Declare it (directLending: true) if the company lends its own money; otherwise say that it does not advertise others' loans.",
    ),
  ];
}

export function subjectFindings(draft: IntakeDraft): Finding[] {
  const all = texts(draft);
  return [
    ...all.flatMap(wordingFindings),
    ...(draft.ageGated === true ? [] : ageFindings(all)),
    ...(draft.directLending === true ? [] : lendingFindings(all)),
  ];
}
