/** What is texted and why, how people opt in, and subjects that are forbidden or have to be declared. */
import type { IntakeDraft } from '../intake.ts';
import { cleanSample } from '../samples.ts';
import { type Finding, finding, type PreflightContext } from './findings.ts';
import { admitsPreChecked, admitsSharing, claims, missingDisclosures } from './text.ts';
import { ageGated, emergency, forbiddenSubjects, lending, notAgeGated, workFromHome } from './words.ts';

const lengthReason = (what: string, text: string, least: number, most: number): string =>
  `${what} has ${text.length} characters; ${least} to ${most} are allowed.`;

function descriptionFindings(draft: IntakeDraft, { organization }: PreflightContext): Finding[] {
  const text = draft.description?.trim();
  if (!text) return [];
  const remedy = `Say who sends, to whom, what and why: "${organization.name || 'Acme'} texts people who signed up on its website about their appointments and answers their questions."`;
  if (text.length < 40 || text.length > 4096)
    return [finding('description_length', 'description', lengthReason('The description', text, 40, 4096), remedy)];
  if (text.length < 80)
    return [
      finding(
        'description_vague',
        'description',
        'The description is so short that reviewers will probably miss who is texted, and why.',
        remedy,
      ),
    ];
  return [];
}

const texting = /\b(?:sms|mms|text(?:s|ed|ing)?|text-?messag\w*)\b/i;
/** Where or by what people agree. */
const place =
  /https?:\/\/|\bwww\.|\b[a-z\d-]+\.(?:com|net|org|io|co|edu|gov|jobs|ca|us)\b|\b(?:(?:web)?forms?|web ?sites?|web ?pages?|pages?|portals?|apps?|check-?box(?:es)?|keywords?|paper|verbal(?:ly)?|in[- ]person|phone calls?|over the phone|by phone|kiosks?|tablets?|counters?|check-?outs?|qr|in[- ]store|point of sale|contracts?|agreements?|applications?|sign-?ups?)\b/i;

function flowFindings({ messageFlow }: IntakeDraft): Finding[] {
  const flow = messageFlow?.trim();
  if (!flow) return [];
  const found: Finding[] = [];
  const add = (code: Parameters<typeof finding>[0], reason: string, remedy: string) =>
    found.push(finding(code, 'messageFlow', reason, remedy));
  if (flow.length < 40 || flow.length > 2048)
    add(
      'message_flow_length',
      lengthReason('The description of how people opt in', flow, 40, 2048),
      'Say where people agree to text messages, by what (a box, a keyword, a paper form) and what is written next to it.',
    );
  if (!texting.test(flow))
    add(
      'flow_without_sms',
      'It is not said that people agree to text messages; leaving a number is not enough.',
      'Add how they agree: "…and tick a box to receive text messages (SMS) from us."',
    );
  if (!place.test(flow))
    add(
      'flow_without_place',
      'It is not said where people agree, so reviewers cannot check it.',
      'Name each place: the address of the web page with the form, the keyword, the paper form, the call.',
    );
  const missing = missingDisclosures(flow);
  if (missing.length > 0)
    add(
      'flow_without_disclosures',
      `What people read when they opt in does not say ${missing.join('; ')}.`,
      'Write next to the box, and quote here: "Message frequency varies. Message and data rates may apply. Reply STOP to opt out, HELP for help."',
    );
  if (admitsPreChecked(flow))
    add(
      'flow_pre_checked',
      'People are opted in without doing anything; they must tick the box themselves.',
      'Change the form so that the box is empty at first, and write "The box is not ticked beforehand and is optional."',
    );
  if (admitsSharing(flow))
    add(
      'flow_shares_consent',
      'It sounds as if phone numbers or consent are given to others, which carriers forbid.',
      'If they are not, write "Mobile numbers and consent to text messages are not shared with third parties."; if they are, stop doing so first.',
    );
  return found;
}

/** All texts that reviewers read, by their field. Prose may name what is not sent; samples speak literally. */
function texts(draft: IntakeDraft): { field: string; text: string }[] {
  return [
    { field: 'description', text: claims(draft.description ?? '') },
    { field: 'messageFlow', text: claims(draft.messageFlow ?? '') },
    ...(draft.messageSamples ?? []).map((sample, i) => ({ field: `messageSamples[${i}]`, text: cleanSample(sample) })),
  ];
}

function subjectFindings(draft: IntakeDraft): Finding[] {
  const all = texts(draft);
  const found = all.flatMap(({ field, text }) => {
    const forbidden = forbiddenSubjects.flatMap(({ name, pattern, twilioCode }) => {
      const match = pattern.exec(text);
      return match
        ? [
            finding(
              'forbidden_content',
              field,
              `"${match[0]}": carriers do not allow texts about ${name}, and refuse such a campaign for good.`,
              'Take it out if the company does not text about it. If it does, do not submit: the fee would be lost.',
              twilioCode,
            ),
          ]
        : [];
    });
    const others: Finding[] = [];
    if (forbidden.length === 0 && workFromHome.test(text))
      others.push(
        finding(
          'work_from_home',
          field,
          'Work from home is a frequent subject of fraud, and reviewers may refuse it.',
          'Name the real job and employer, and write "remote" instead: "Acme Staffing: remote accountant position at [employer]."',
        ),
      );
    const alarm = emergency.exec(text);
    if (alarm)
      others.push(
        finding(
          'emergency_wording',
          field,
          `"${alarm[0]}" sounds like alerts that only authorities may send.`,
          'Say what the messages really are, such as "schedule changes" or "service notices".',
        ),
      );
    return [...forbidden, ...others];
  });
  const adult = declaring(all, (text) => ageGated.exec(text.replaceAll(notAgeGated, ' ')));
  if (adult !== null && draft.ageGated !== true)
    found.push(
      finding(
        'age_gate_not_declared',
        'ageGated',
        `"${adult}" is for adults only, and it was not declared that people's age is checked.`,
        "Ask for the date of birth where people opt in and declare it (ageGated: true), or take the word out if that is not the company's business.",
      ),
    );
  const loan = declaring(all, (text) => lending.exec(text));
  if (loan !== null && draft.directLending !== true)
    found.push(
      finding(
        'lending_not_declared',
        'directLending',
        `"${loan}" is about lending money, and it was not declared that the company does so itself.`,
        "Declare it (directLending: true) if the company lends its own money; otherwise say that it does not advertise others' loans.",
      ),
    );
  return found;
}

const declaring = (all: readonly { text: string }[], search: (text: string) => RegExpExecArray | null): string | null =>
  all.map(({ text }) => search(text)?.[0]).find((word) => word !== undefined) ?? null;

function optInFindings({ optInMessage, optInKeywords }: IntakeDraft): Finding[] {
  const found: Finding[] = [];
  const message = optInMessage?.trim();
  if (message && (message.length < 20 || message.length > 320))
    found.push(
      finding(
        'opt_in_message_length',
        'optInMessage',
        lengthReason('The answer to those who opt in', message, 20, 320),
        'Write the company name, what is texted, "Message frequency varies. Message and data rates may apply. Reply HELP for help, STOP to opt out."',
      ),
    );
  const wrong = (optInKeywords ?? []).filter((keyword) => !/^[a-z\d]{1,255}$/i.test(keyword));
  if (wrong.length > 0)
    found.push(
      finding(
        'opt_in_keyword_shape',
        'optInKeywords',
        `Not a keyword: ${wrong.map((keyword) => `"${keyword}"`).join(', ')}.`,
        'Write each keyword as one word of letters and digits, such as JOIN.',
      ),
    );
  return found;
}

const evidenceFindings = ({ hasEvidence }: PreflightContext): Finding[] =>
  hasEvidence
    ? []
    : [
        finding(
          'evidence_missing',
          'evidence',
          'There is no screenshot of how people opt in; this is the most frequent cause of refusal.',
          'Upload a screenshot that shows the box (or the paper form, or the script of the call) with the text next to it.',
        ),
      ];

export const campaignFindings = (draft: IntakeDraft, context: PreflightContext): Finding[] => [
  ...descriptionFindings(draft, context),
  ...flowFindings(draft),
  ...evidenceFindings(context),
  ...subjectFindings(draft),
  ...optInFindings(draft),
];
