/** Sends the emails that Postgres holds: at once by whoever wrote them, later by the sweep. */
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { claimEmails, markEmailFailed, markEmailSent } from '../db/emails.ts';
import { EmailRefused, type Mailer } from '../email/mailer.ts';

export interface EmailDeps {
  database: Database;
  clock: Clock;
  mailer: Mailer;
  /** Told what went wrong; the emails stay to be sent later. */
  onError: (error: unknown) => void;
}

/**
 * A function that sends what is due for an organization. It never throws. An email goes out twice if the process dies
 * between sending and writing it down; both have the same Message-ID.
 */
export function createEmailSender({ database, clock, mailer, onError }: EmailDeps) {
  return async (organizationId: string): Promise<void> => {
    try {
      const due = await database.inOrganization(organizationId, (trx) => claimEmails(trx, organizationId, clock.now()));
      for (const email of due) {
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
    } catch (error) {
      onError(error);
    }
  };
}

/** What the server or the connection said, without the address that its words may repeat. */
function codeOf(error: unknown): string {
  const { responseCode, code } = ((error as Error).cause ?? error) as { responseCode?: number; code?: string };
  return String(responseCode ?? code ?? 'no answer');
}
