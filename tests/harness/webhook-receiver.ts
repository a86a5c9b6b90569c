/** Somebody who is sent webhooks: a real HTTP server that keeps what it gets and answers what the test says. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Received {
  id: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read any shape
  payload: any;
  /** Whether it was answered before the sender went away. */
  status: number;
}

export interface Receiver {
  url: string;
  /** All that came, in order. */
  received: Received[];
  /** Those that it took. */
  taken(): Received[];
  /** A status, or what to do with the response; 204 at first. */
  answer: number | ((response: ServerResponse, got: Received) => void);
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    const take = (body: string): void => {
      const { headers, url: path = '' } = request;
      const got: Received = {
        id: String(headers['webhook-id']),
        path,
        headers,
        body,
        payload: JSON.parse(body),
        status: 0,
      };
      receiver.received.push(got);
      response.on('finish', () => (got.status = response.statusCode));
      if (typeof receiver.answer === 'function') receiver.answer(response, got);
      else response.writeHead(receiver.answer).end();
    };
    // Who is killed while it sends has sent nothing.
    text(request).then(take, () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    taken: () => receiver.received.filter(({ status }) => status >= 200 && status < 300),
    answer: 204,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}
