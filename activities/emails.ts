/** Sends the emails that Postgres holds: at once by whoever wrote them, later by the sweep. */
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { claimEmail, type DueEmail, markEmailFailed, markEmailSent } from '../db/notifications/emails.ts';
import { EmailRefused, type Mailer } from '../email/mailer.ts';

export interface EmailDeps {
  database: Database;
  clock: Clock;
  mailer: Mailer;
  /** Told what went wrong; the emails stay to be sent later. */
  onError: (error: unknown) => void;
}

export interface EmailSender {
  /** Begins to send what is due for an organization. A mail server that is slow holds up nobody. */
  send: (organizationId: string) => void;
  /** Resolves when nothing is being sent. */
  idle: () => Promise<void>;
}

/**
 * An email goes out twice if the process dies between sending it and writing that down; both have the same Message-ID.
 */
export function createEmailSender({ database, clock, mailer, onError }: EmailDeps): EmailSender {
  const underWay = new Set<Promise<void>>();

  async function sendOne(organizationId: string, email: DueEmail): Promise<void> {
    const { id, recipient: to, subject, body: text, created_at: date } = email;
    const failure = await mailer.send({ id, to, subject, text, date }).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    await database.inOrganization(organizationId, async (trx) => {
      if (!failure) return markEmailSent(trx, id, clock.now());
      const { error } = failure;
      const reason = { error: String(error), final: error instanceof EmailRefused, at: clock.now() };
      return markEmailFailed(trx, email, reason);
    });
    if (failure) onError(new Error(`An email could not be sent: ${codeOf(failure.error)}`));
  }

  async function sendAll(organizationId: string): Promise<void> {
    try {
      for (;;) {
        const email = await database.inOrganization(organizationId, (trx) =>
          claimEmail(trx, organizationId, clock.now()),
        );
        if (!email) return;
        await sendOne(organizationId, email);
      }
    } catch (error) {
      onError(error);
    }
  }

  return {
    send: (organizationId) => {
      const sending = sendAll(organizationId).finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    idle: async () => {
      await Promise.all(underWay);
    },
  };
}

/** What the server or the connection said, without the address that its words may repeat. */
function codeOf(error: unknown): string {
  const { responseCode, code } = ((error as Error).cause ?? error) as { responseCode?: number; code?: string };
  return String(responseCode ?? code ?? 'no answer');
}
