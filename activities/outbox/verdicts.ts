/** What becomes of messages that are due: no I/O, the instant given. */
import type { Candidate, Verdicts } from '../../db/messages/outbox.ts';
import { notBefore } from '../../domain/consent/requests.ts';
import { dueOf } from '../../domain/messages/due.ts';
import { asFirstMessage, inWordsOf, longestBody, noRoom } from '../../domain/messages/text.ts';
import type { Settings } from '../../domain/settings.ts';

/** A message that leaves now, as it is sent. */
interface Leaving {
  id: string;
  to: string;
  from: string;
  body: string;
  /** What it says other than it said, and in how many segments; null when it leaves as it was written. */
  text: { body: string; segments: number } | null;
  /** Until when it must have been delivered; null when nothing limits it. */
  closesAt: Date | null;
  /** It asks for an opt-in. */
  isRequest: boolean;
}

interface Judged extends Verdicts {
  sending: Leaving[];
}

/** Judges each by today's settings: who must not leave, who must wait, and how the rest reads. */
export function judge(candidates: readonly Candidate[], settings: Settings, now: Date): Judged {
  const verdicts = {
    sending: [] as Leaving[],
    cancelled: [] as { id: string; reason: string }[],
    later: [] as { id: string; due: ReturnType<typeof dueOf> }[],
    gone: [] as string[],
  };
  for (const candidate of candidates) {
    const { id, to, refusal, direct, released, sendAt, askedAt, postalCode, timeZone } = candidate;
    if (candidate.status !== 'scheduled' && candidate.status !== 'queued') verdicts.gone.push(id);
    else if (refusal !== null) verdicts.cancelled.push({ id, reason: refusal });
    else {
      const recipient = { mobile: to, postalCode, timeZone };
      // Requests that a closed window, or Twilio, has held up would otherwise arrive together.
      const from = (askedAt && notBefore([askedAt], now)) ?? sendAt ?? now;
      const due = dueOf({ settings, recipient, direct, released, from, now });
      if (due.at > now) verdicts.later.push({ id, due });
      else {
        const text = candidate.lacksDisclaimer ? textOf(candidate, settings) : null;
        if (text && text.body.length > longestBody) {
          verdicts.cancelled.push({ id, reason: noRoom });
          continue;
        }
        const isRequest = candidate.source === 'opt_in' && !direct;
        const body = text?.body ?? candidate.body;
        verdicts.sending.push({ id, to, from: candidate.from, body, text, closesAt: due.closesAt, isRequest });
      }
    }
  }
  return verdicts;
}

/** The one that carried the disclaimer never left: the first that does carries it (C3). */
const textOf = ({ body, organizationName, userName }: Candidate, { disclaimer }: Settings) =>
  asFirstMessage(body, inWordsOf(disclaimer, organizationName, userName));
