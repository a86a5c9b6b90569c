/**
 * Twilio's own block list. A STOP blocks a recipient for the whole messaging service of the number it was sent to, or for that
 * number alone when it is in no service.
 */
import type { PhoneNumber } from '../numbers/phone-number.ts';
import type { Kept } from '../persistence.ts';

export type Keyword = 'STOP' | 'START' | 'HELP';

const WORDS: Record<string, Keyword> = {
  STOP: 'STOP',
  STOPALL: 'STOP',
  UNSUBSCRIBE: 'STOP',
  CANCEL: 'STOP',
  END: 'STOP',
  QUIT: 'STOP',
  REVOKE: 'STOP',
  OPTOUT: 'STOP',
  START: 'START',
  UNSTOP: 'START',
  HELP: 'HELP',
  INFO: 'HELP',
};

/** The keyword a message consists of, in any case and with blanks around it; undefined for any other text. */
export function keywordOf(body: string): Keyword | undefined {
  return WORDS[body.trim().toUpperCase()];
}

export class OptOuts implements Kept {
  /** Service SID or phone number → recipients. */
  #blocked = new Map<string, Set<string>>();

  #scope(sender: PhoneNumber): string {
    return sender.serviceSid ?? sender.phoneNumber;
  }

  isBlocked(sender: PhoneNumber, recipient: string): boolean {
    return this.#blocked.get(this.#scope(sender))?.has(recipient) ?? false;
  }

  /** Does what a keyword says: STOP blocks, START unblocks, HELP changes nothing. */
  apply(keyword: Keyword, sender: PhoneNumber, recipient: string): void {
    const scope = this.#scope(sender);
    if (keyword === 'STOP') {
      const blocked = this.#blocked.get(scope) ?? new Set();
      this.#blocked.set(scope, blocked.add(recipient));
    } else if (keyword === 'START') {
      this.#blocked.get(scope)?.delete(recipient);
    }
  }

  clear(): void {
    this.#blocked.clear();
  }

  toJSON(): [scope: string, recipients: string[]][] {
    return [...this.#blocked].map(([scope, recipients]) => [scope, [...recipients]]);
  }

  restore(blocked: [scope: string, recipients: string[]][]): void {
    this.#blocked = new Map(blocked.map(([scope, recipients]) => [scope, new Set(recipients)]));
  }
}
