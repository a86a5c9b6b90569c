/** What is texted and why, and how people opt in. */
import type { IntakeDraft } from '../intake.ts';
import { admitsCondition, admitsPreChecked, admitsSharing, bundlesConsent } from './consent.ts';
import { type Finding, finding, type PreflightContext } from './findings.ts';
import { subjectFindings } from './subjects.ts';
import { missingDisclosures } from './text.ts';

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
  /https?:\/\/|\bwww\.|(?<![a-z\d-])[a-z\d-]{1,63}\.(?:com|net|org|io|co|edu|gov|jobs|ca|us)\b|\b(?:(?:web)?forms?|web ?sites?|web ?pages?|pages?|portals?|apps?|check-?box(?:es)?|keywords?|paper|verbal(?:ly)?|in[- ]person|phone calls?|over the phone|by phone|kiosks?|tablets?|counters?|check-?outs?|qr|in[- ]store|point of sale|contracts?|agreements?|applications?|sign-?ups?)\b/i;

/** The addresses of screenshots are added to the flow, about 110 characters each; Twilio takes 2,048 in all. */
const longestWithEvidence = 1900;

function flowFindings({ messageFlow }: IntakeDraft, { hasEvidence }: PreflightContext): Finding[] {
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
  if (hasEvidence && flow.length > longestWithEvidence)
    add(
      'flow_leaves_no_room_for_evidence',
      `The description of how people opt in has ${flow.length} characters, so the address of the screenshot does not fit behind it and reviewers would not see it.`,
      `Shorten it to ${longestWithEvidence} characters.`,
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
  if (admitsCondition(flow))
    add(
      'flow_conditions_consent',
      'People must agree to text messages to get something else, so they cannot decline.',
      'Let them go on without agreeing, and write "Consent is not a condition of purchase."',
    );
  if (bundlesConsent(flow))
    add(
      'flow_bundles_consent',
      'It sounds as if people agree to text messages merely by sending a form that serves something else.',
      'Put an optional, empty box for text messages next to it, and describe that; if the form is for text messages only, say so.',
    );
  return found;
}

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

const sharingFindings = (draft: IntakeDraft): Finding[] =>
  (['description', 'messageFlow'] as const).flatMap((field) =>
    admitsSharing(draft[field] ?? '')
      ? [
          finding(
            'flow_shares_consent',
            field,
            'It sounds as if phone numbers or consent are given to others, which carriers forbid.',
            'If they are not, write "Mobile numbers and consent to text messages are not shared with third parties."; if they are, stop doing so first.',
          ),
        ]
      : [],
  );

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
  ...flowFindings(draft, context),
  ...sharingFindings(draft),
  ...evidenceFindings(context),
  ...subjectFindings(draft),
  ...optInFindings(draft),
];
