/** The control side: what tests and demos read and do. One line per route; see docs/simulator.md for an example of each. */
import { ClockError } from '../clock/clock.ts';
import type { World } from '../world.ts';
import { readBehaviour, writeBehaviour } from './behaviour.ts';
import { moveClock, readClock } from './clock.ts';
import { receiveInbound } from './inbound.ts';
import { readMail } from './mail.ts';
import { readMessages } from './messages.ts';
import { createNumber } from './numbers.ts';
import { readRequests } from './requests.ts';
import { ControlError, type ControlAnswer, type ControlHandler } from './route.ts';
import { readState } from './state.ts';

const ROUTES: Record<string, ControlHandler> = {
  'GET /control/messages': readMessages,
  'GET /control/state': readState,
  'GET /control/requests': readRequests,
  'GET /control/mail': readMail,
  'GET /control/clock': readClock,
  'POST /control/clock': moveClock,
  'GET /control/behaviour': readBehaviour,
  'PUT /control/behaviour': writeBehaviour,
  'POST /control/inbound': receiveInbound,
  'POST /control/numbers': createNumber,
  'POST /control/reset': ({ world }) => {
    world.reset();
    return { status: 200, body: {} };
  },
};

/** The handler of `/control/…`. */
export function controlApi(world: World) {
  return async (method: string, path: string, query: URLSearchParams, bodyText: string): Promise<ControlAnswer> => {
    const handler = ROUTES[`${method} ${path}`];
    if (handler === undefined) {
      return { status: 404, body: { error: `There is no ${method} ${path}`, routes: Object.keys(ROUTES) } };
    }
    try {
      let body: unknown;
      if (bodyText !== '') {
        try {
          body = JSON.parse(bodyText);
        } catch (error) {
          throw new ControlError(400, `The body is not JSON: ${String(error)}`);
        }
      }
      return await handler({ world, query, body });
    } catch (error) {
      if (error instanceof ControlError) return { status: error.status, body: error };
      if (error instanceof ClockError) return { status: 409, body: { error: error.message } };
      throw error;
    }
  };
}
