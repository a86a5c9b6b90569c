/** The emails of a registration: to the operator, to whoever is told of changes, and to the representative. */
import type { Explanation } from '../domain/registration/rejections.ts';

/** What all of them may name. */
interface About {
  organization: string;
}

interface EmailText {
  subject: string;
  text: string;
}

const page = (...paragraphs: (string | null)[]): string =>
  `${paragraphs.filter((paragraph) => paragraph !== null).join('\n\n')}\n`;

/** Reasons as a list: what is wrong, what to do, and which answers of the questionnaire it is about. */
const reasonsText = (reasons: readonly Explanation[]): string =>
  reasons
    .map(({ code, reason, remedy, fields, fixable }) => {
      const about = fields.length > 0 ? `\n  Answers to correct: ${fields.join(', ')}` : '';
      const final = fixable ? '' : '\n  This is final: submitting it again as it is will not help.';
      return `- ${reason} (${code})\n  What to do: ${remedy}${about}${final}`;
    })
    .join('\n') || '- Twilio gave no reason. Ask its support, naming the account.';

const dayOf = (instant: Date): string => `${instant.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** To the representative: a link comes from the registry, and why it has to be followed. */
export const identityLinkSent = (about: About & { name: string; until: Date; round: number }): EmailText => ({
  subject: `${about.organization}: confirm your identity within 7 days`,
  text: page(
    `Hello ${about.name},`,
    `${about.organization} is being registered to send text messages, and you are its authorized representative. ` +
      'The Campaign Registry, which does this for the phone carriers, is sending you an email with a link ' +
      `${about.round > 1 ? 'again ' : ''}(from noreply@auth.campaignregistry.com).`,
    `Please follow that link by ${dayOf(about.until)}. Without it no text message can be sent.`,
    'If it is not there, look in your spam folder, and let mail from that address pass.',
  ),
});

/** To the representative: the link waits. @param daysLeft whole days */
export const identityLinkReminder = (about: About & { name: string; until: Date; daysLeft: number }): EmailText => ({
  subject: `${about.organization}: ${about.daysLeft === 1 ? 'one day' : `${about.daysLeft} days`} left to confirm your identity`,
  text: page(
    `Hello ${about.name},`,
    `the link from noreply@auth.campaignregistry.com is still waiting for you; it lapses on ${dayOf(about.until)}. ` +
      `${about.organization} cannot send text messages before you have followed it.`,
    'If you do not find the email, look in your spam folder, or ask whoever set this up to have it sent again.',
  ),
});

/** To the operator: the link lapsed or did not work. */
export const verificationExpired = (about: About & { reasons: readonly Explanation[] }): EmailText => ({
  subject: `${about.organization}: the representative's identity link lapsed`,
  text: page(
    `The representative of ${about.organization} has not confirmed their identity:`,
    about.reasons.length > 0 ? reasonsText(about.reasons) : '- The link was not followed within 7 days.',
    'Correct the email address if it is wrong, then have the link sent again: ' +
      'POST /v1/registration/brand/resend. It starts another 7 days.',
  ),
});

/** To the operator: the brand was rejected. */
export const brandFailed = (about: About & { reasons: readonly Explanation[] }): EmailText => ({
  subject: `${about.organization}: the brand was rejected`,
  text: page(
    `The registration of ${about.organization} as a brand was rejected:`,
    reasonsText(about.reasons),
    'Correct the answers and submit it again: POST /v1/registration/brand/resubmit. ' +
      'Three resubmissions are free of charge.',
  ),
});

/** To the operator, never to the customer: the campaign was rejected. */
export const campaignRejected = (about: About & { attempt: number; reasons: readonly Explanation[] }): EmailText => ({
  subject: `${about.organization}: the campaign was rejected${about.attempt > 1 ? ` (attempt ${about.attempt})` : ''}`,
  text: page(
    `The carriers rejected the campaign of ${about.organization}:`,
    reasonsText(about.reasons),
    'Correct the answers and submit it again: POST /v1/registration/campaign/resubmit. ' +
      'Twilio may charge the review once more.',
  ),
});

/** To the operator: ten weeks have passed. */
export const campaignOverdue = (about: About & { since: Date; campaignSid: string }): EmailText => ({
  subject: `${about.organization}: the campaign review is overdue`,
  text: page(
    `The campaign of ${about.organization} has been with the carriers since ${dayOf(about.since)}: more than ten weeks.`,
    `Ask Twilio support about campaign ${about.campaignSid}. Longwave goes on waiting, and will notice the decision.`,
  ),
});

/** To the operator: a step fails again and again, and not because of what the company answered. */
export const registrationStuck = (about: About & { cause: string }): EmailText => ({
  subject: `${about.organization}: the registration does not get on`,
  text: page(
    `A step of the registration of ${about.organization} has failed for a minute, and is tried again:`,
    about.cause,
    'Look at the state of your Twilio account, its credentials and its primary customer profile. ' +
      'The registration goes on by itself when the cause is mended.',
  ),
});

/** To whoever is told of changes: one sentence of the timeline. */
export const changeOfState = (about: About & { what: string; next: string }): EmailText => ({
  subject: `${about.organization}: ${about.what.replace(/\.$/, '')}`,
  text: page(`${about.organization}: ${about.what}`, `Next: ${about.next}`),
});
