/** Sends email by SMTP. */
import { createTransport } from 'nodemailer';

interface OutgoingEmail {
  /** Makes the Message-ID, the same at each try: a mailbox that got it twice can tell. */
  id: string;
  to: string;
  subject: string;
  text: string;
  /** When it was written. */
  date: Date;
}

/** Thrown when a server has said that it will never take this email. */
export class EmailRefused extends Error {
  override name = 'EmailRefused';
}

export interface Mailer {
  /** @throws {EmailRefused} for good; any other error when it may work later */
  send(email: OutgoingEmail): Promise<void>;
  close(): void;
}

/**
 * @param url `smtp://user:password@host:port`, or `smtps://`
 * @param from such as `Longwave <longwave@example.com>`
 */
export function createMailer({ url, from }: { url: string; from: string }): Mailer {
  const transport = createTransport(
    { url, pool: true, maxConnections: 2, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 },
    { from },
  );
  const host = /@([\w.-]+)/.exec(from)?.[1] ?? 'longwave';
  return {
    async send({ id, to, subject, text, date }) {
      try {
        await transport.sendMail({ to, subject, text, date, messageId: `<${id}@${host}>` });
      } catch (error) {
        const { responseCode } = error as { responseCode?: number };
        // 5xx is for good; but 53x is about our own credentials, which somebody can mend.
        const forGood = responseCode !== undefined && responseCode >= 540;
        throw forGood ? new EmailRefused(`The mail server refused it: ${responseCode}`, { cause: error }) : error;
      }
    },
    close: () => transport.close(),
  };
}
