/** The emails about what contacts write: passed on (D4), or told of (G3). */

interface About {
  organization: string;
  /** The contact's name, or number. */
  contact: string;
  /** Where the conversation is shown. */
  link: string;
}

interface AboutAll {
  organization: string;
  /** Where all conversations are shown. */
  list: string;
}

interface Said {
  body: string;
  mediaUrls: readonly string[];
}

interface EmailText {
  subject: string;
  text: string;
}

const page = (...paragraphs: (string | null)[]): string =>
  `${paragraphs.filter((paragraph) => paragraph !== null && paragraph !== '').join('\n\n')}\n`;

const mediaOf = ({ mediaUrls }: Said): string | null =>
  mediaUrls.length === 0
    ? null
    : `With ${mediaUrls.length === 1 ? 'an attachment' : `${mediaUrls.length} attachments`}.`;

/** To where an organization has its contacts' replies forwarded. */
export const forwardedReply = (about: About & Said): EmailText => ({
  subject: `${about.organization}: ${about.contact} replied`,
  text: page(
    `${about.contact} wrote:`,
    about.body,
    mediaOf(about),
    `Answer in the conversation: ${about.link}`,
    'Replies to this email do not reach the contact.',
  ),
});

/** To where replies are forwarded to, instead of the first one too many of an hour. */
export const tooManyForwarded = ({ organization, list, most }: AboutAll & { most: number }): EmailText => ({
  subject: `${organization}: more than ${most} replies within an hour`,
  text: page(
    `More than ${most} replies have come within an hour. Those that follow are not sent to you until the next hour.`,
    `Read and answer them: ${list}`,
  ),
});

/** To a user of the line, as a notification. */
export const messageReceived = (about: About & Said): EmailText => ({
  subject: `${about.organization}: new message from ${about.contact}`,
  text: page(
    `${about.contact} wrote:`,
    about.body,
    mediaOf(about),
    `Read and answer it: ${about.link}`,
    'Replies to this email do not reach the contact.',
  ),
});

/** To a user of the line who was told of the first a moment ago. */
export const messagesReceived = (about: About): EmailText => ({
  subject: `${about.organization}: new messages from ${about.contact}`,
  text: page(
    `${about.contact} has written again.`,
    `Read and answer it: ${about.link}`,
    'Replies to this email do not reach the contact.',
  ),
});

/** To a user who was told of so many messages in an hour that the rest is told of together. */
export const manyReceived = ({ organization, list }: AboutAll): EmailText => ({
  subject: `${organization}: new messages in several conversations`,
  text: page(
    'Contacts have written in several conversations since the last email.',
    `Read and answer them: ${list}`,
    'Replies to this email do not reach the contacts.',
  ),
});
