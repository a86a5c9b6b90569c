/** A mail server that accepts everything and keeps it, so that tests and demos can read what the product sends. */
import type { Readable } from 'node:stream';
import { portOf } from './http/wire.ts';
import { simpleParser, type AddressObject } from 'mailparser';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

export interface Mail {
  from: string;
  to: string[];
  subject: string;
  text: string;
  html: string;
  /** ISO 8601. */
  receivedAt: string;
  headers: Record<string, string>;
}

/** Mails kept; the oldest go first. */
const KEPT = 10_000;

const addresses = (field: AddressObject | AddressObject[] | undefined): string[] =>
  [field ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address ?? ''));

export class MailSink {
  readonly #server: SMTPServer;
  readonly #now: () => number;
  #mails: Mail[] = [];
  #total = 0;

  private constructor(now: () => number) {
    this.#now = now;
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onAuth: (_auth, _session, done) => done(null, { user: 'anyone' }),
      onData: (stream, session, done) => void this.#receive(stream, session, done),
    });
    // A client that hangs up in the middle is no reason to end.
    this.#server.on('error', () => undefined);
  }

  async #receive(stream: Readable, session: SMTPServerSession, done: (error?: Error) => void): Promise<void> {
    try {
      await this.#keep(stream, session);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done();
  }

  async #keep(stream: Readable, { envelope }: SMTPServerSession): Promise<void> {
    const parsed = await simpleParser(stream);
    this.#add({
      from: addresses(parsed.from)[0] || (envelope.mailFrom === false ? '' : envelope.mailFrom.address),
      // Whom the server was told to deliver to, so that blind copies are seen as well.
      to: envelope.rcptTo.map(({ address }) => address),
      subject: parsed.subject ?? '',
      text: parsed.text ?? '',
      html: parsed.html || '',
      receivedAt: new Date(this.#now()).toISOString(),
      headers: Object.fromEntries(parsed.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()])),
    });
  }

  /**
   * Starts to listen on 127.0.0.1.
   *
   * @param port 0 for any free one
   * @throws when the port is taken
   */
  static async listen(port: number, now: () => number): Promise<MailSink> {
    const sink = new MailSink(now);
    await new Promise<void>((resolve, reject) => {
      sink.#server.server.once('error', reject);
      sink.#server.listen(port, '127.0.0.1', resolve);
    });
    return sink;
  }

  get port(): number {
    return portOf(this.#server.server.address());
  }

  /** Puts a mail in as if it had come by SMTP: for those that the twin writes itself. */
  deliver({ from, to, subject, text }: Pick<Mail, 'from' | 'to' | 'subject' | 'text'>): void {
    const receivedAt = new Date(this.#now()).toISOString();
    this.#add({ from, to, subject, text, html: '', receivedAt, headers: { from, to: to.join(', '), subject } });
  }

  #add(mail: Mail): void {
    this.#mails.push(mail);
    this.#total += 1;
    if (this.#mails.length > KEPT) this.#mails.shift();
  }

  /** The mails received, oldest first. */
  list(): { total: number; items: Mail[] } {
    return { total: this.#total, items: this.#mails };
  }

  clear(): void {
    this.#mails = [];
    this.#total = 0;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
