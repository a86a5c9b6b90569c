/** What a caller hears: TwiML. The numbers are for texts, so a call goes to somebody's phone or gets a sentence. */
import twilio from 'twilio';
import { parsePhone } from '../domain/phone.ts';

/** Seconds that the phone rings: voicemail mostly picks up later, and should. */
const ringForSeconds = 20;

/** What networks send for a number that is withheld: ANONYMOUS, BLOCKED and so on, as on the keys of a phone. */
const withheld = new Set(['+266696687', '+2562533', '+7378742833', '+8656696', '+86282452253']);

/** Twilio lets a call go on with the number it came from, if it is one. */
const canBeShown = (caller: string): boolean =>
  /^\+[1-9]\d{7,14}$/.test(caller) && !withheld.has(caller) && parsePhone(caller).status === 'valid';

/** Control characters and the like, which XML cannot hold even when escaped. */
const notXml = /[\p{Cc}\p{Cs}\uFFFE\uFFFF]+/gu;

export interface IncomingCall {
  /** Who calls, as Twilio says; not always a number. */
  caller: string;
  /** The number called, E.164. */
  line: string;
  /** Null when the number is not known. */
  organizationName: string | null;
  /** E.164, or null when calls are not forwarded. */
  forwardTo: string | null;
}

/** Rings the phone that calls go to, or says that this number is for texts. */
export function answerToCall({ caller, line, organizationName, forwardTo }: IncomingCall): string {
  const response = new twilio.twiml.VoiceResponse();
  if (forwardTo !== null) {
    const callerId = canBeShown(caller) ? caller : line;
    response.dial({ timeout: ringForSeconds, answerOnBridge: true, callerId }).number(forwardTo);
    return response.toString();
  }
  const name = organizationName?.replaceAll(notXml, ' ').trim();
  const greeting = name ? `You have reached ${name}. ` : '';
  response.say(`${greeting}This number is for text messages only. Please send us a text message instead. Goodbye.`);
  response.hangup();
  return response.toString();
}
