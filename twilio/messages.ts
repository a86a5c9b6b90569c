/** Asking Twilio about one message. */
import type { Twilio } from 'twilio';
import { type MessageStatus, statusFromTwilio } from '../domain/messages/status.ts';
import { orNull } from './errors.ts';

export interface MessageState {
  /** Null for a word that says nothing new. */
  status: MessageStatus | null;
  errorCode: number | null;
  /** Null while Twilio has not counted them. */
  segments: number | null;
}

/** What Twilio says of a message; null when it does not know it. @throws what the SDK throws */
export async function fetchMessageState(client: Twilio, sid: string): Promise<MessageState | null> {
  const found = await orNull(client.messages(sid).fetch());
  if (!found) return null;
  const { status, errorCode, numSegments } = found;
  return { status: statusFromTwilio(status), errorCode: errorCode ?? null, segments: Number(numSegments) || null };
}
