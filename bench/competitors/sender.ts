/** What every competitor sends with: the official SDK over the product's HTTP client, the same fields, the same texts. */
import twilio from 'twilio';
import { TwilioHttpClient } from '../../twilio/http-client.ts';

/** What a competitor's process is told. */
export interface Task {
  simulatorUrl: string;
  twilio: { accountSid: string; authToken: string; messagingServiceSid: string; from: string };
  callbackUrl: string;
  /** Messages to send. */
  count: number;
  /** Requests under way at once. */
  concurrency: number;
  /** A database of its own on the same server; the loop has none. */
  databaseUrl: string;
}

/** A competitor, installed. */
export interface Competitor {
  /** Adds a status row and a job for each message. */
  load(): Promise<void>;
  /** Sends all and answers when the last outcome is where it keeps it. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** A recipient's number and text: those that the mass SMS has for its contacts. */
export interface Recipient {
  id: number;
  to: string;
  body: string;
}

export const recipient = (id: number): Recipient => ({
  id,
  to: `+1303${2_000_000 + id}`,
  body: `Bench 123456789: Hi First${id}, we are hiring nearby. Reply STOP to opt out.`,
});

export interface Sender {
  /** @returns the SID @throws when Twilio does not take it */
  send(message: Recipient): Promise<string>;
  close(): Promise<void>;
}

export function createSender({ simulatorUrl, twilio: account, callbackUrl, concurrency }: Task): Sender {
  const httpClient = new TwilioHttpClient({ baseUrl: simulatorUrl, connections: concurrency });
  const client = twilio(account.accountSid, account.authToken, { httpClient });
  return {
    async send({ id, to, body }) {
      const { sid } = await client.messages.create({
        to,
        from: account.from,
        body,
        messagingServiceSid: account.messagingServiceSid,
        statusCallback: `${callbackUrl}/${id}/status#rc=3&rp=ct,rt,5xx`,
        validityPeriod: 36_000,
      });
      return sid;
    },
    close: () => httpClient.close(),
  };
}
