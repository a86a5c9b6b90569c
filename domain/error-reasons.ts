/** Why a message did not arrive, in words for the people who wrote it. Source: Twilio's error dictionary. */

const codes: Readonly<Record<number, string>> = {
  20003: 'Twilio does not accept the account or its auth token.',
  20429: 'Twilio had too many requests at once.',
  21211: 'The number does not exist.',
  21212: 'The line cannot be sent from.',
  21408: "The Twilio account may not send to the recipient's country: allow it in Twilio's console.",
  21606: 'The line cannot be sent from: it is not in the account any more, or cannot send SMS.',
  21608: 'The Twilio account may only send to numbers it has verified: finish its registration.',
  21610: 'The recipient has opted out at Twilio: only a START from the recipient changes that.',
  21611: 'Too many messages wait for this line at Twilio.',
  21612: 'No route leads from the line to this number.',
  21614: 'The number is no mobile number.',
  21617: 'The message is longer than 1,600 characters.',
  21635: 'The number is a landline.',
  30001: 'Too many messages waited at Twilio.',
  30002: 'The Twilio account is suspended.',
  30003: 'The handset could not be reached: it is off, or without service.',
  30004: "The recipient's carrier or handset blocks messages.",
  30005: 'The number is not in use, or its handset is unknown.',
  30006: 'The number is a landline, or its carrier takes no SMS.',
  30007: 'The carrier filtered it: the text looked like spam to it. Do not repeat it as it is.',
  30008: 'The carrier gave no reason.',
  30022: 'The campaign sent faster than the carriers allow.',
  30023: "T-Mobile's daily limit of the brand was reached; it begins anew at midnight Pacific time.",
  30024: 'The line is not yet known to the carrier: try again in some hours.',
  30032: 'The toll-free number is not verified.',
  30033: 'The A2P campaign is suspended.',
  30034: 'The line is not registered to an A2P campaign.',
  30036: 'It could not be delivered before the sending window closed.',
  30037: 'Outbound messages are disabled for the Twilio account.',
  30610: 'Messages may not be sent to the recipient at this hour.',
};

/** What Twilio's code means; where to read on for those we have no words for. */
export const errorInWords = (code: number): string =>
  codes[code] ?? `Twilio reported error ${code}: https://www.twilio.com/docs/api/errors/${code}`;

const reasons: Readonly<Record<string, string>> = {
  cancelled: 'Somebody cancelled it.',
  opted_out: 'The contact opted out before it left.',
  no_consent: 'The contact had not agreed to messages of this purpose when it was to leave.',
  contact_changed: 'The contact was deleted, or has another number.',
  line_released: 'The line it was to leave from was given up.',
  opt_in_declined: 'The contact refused the opt-in request.',
  opt_in_settled: 'The contact had agreed, or the request had ended, before it left.',
  opt_in_expired: 'The contact did not answer the opt-in request.',
  opt_in_cancelled: 'The opt-in request was cancelled before it left.',
  no_room_for_disclaimer:
    'It would be the first message to the contact, and with the disclaimer it is longer than 1,600 characters: write a shorter one.',
  never_lawful:
    'The sending window and the lawful hours where the recipient may be have no moment in common: widen the window.',
  expired: 'It was not sent before the sending window closed.',
  outcome_unknown: 'Nobody can tell whether it was sent, so it is not sent again.',
};

/** Why we did not send it ourselves. */
export const cancellationInWords = (reason: string): string => reasons[reason] ?? `It was stopped (${reason}).`;
