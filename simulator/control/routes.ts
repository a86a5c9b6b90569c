/** The control side: what tests and demos read and do. One line per route; see docs/simulator.md for an example of each. */
import { ClockError } from '../clock/clock.ts';
import type { World } from '../world.ts';
import { readBehaviour, writeBehaviour } from './behaviour.ts';
import { receiveCall } from './calls.ts';
import { moveClock, readClock } from './clock.ts';
import { receiveInbound } from './inbound.ts';
import { readMail } from './mail.ts';
import { readMessages } from './messages.ts';
import { createNumber, sellNumber } from './numbers.ts';
import { clickLink, decideBrand } from './registration/brands.ts';
import { decideCustomerProfile, decideTrustProduct } from './registration/bundles.ts';
import { decideCampaign } from './registration/campaigns.ts';
import { emitEvent } from './registration/events.ts';
import { createRegistration } from './registration/registered.ts';
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
  'POST /control/calls': receiveCall,
  'POST /control/numbers': createNumber,
  'POST /control/numbers/sell': sellNumber,
  'POST /control/registrations': createRegistration,
  'POST /control/customer-profiles/{sid}': decideCustomerProfile,
  'POST /control/trust-products/{sid}': decideTrustProduct,
  'POST /control/brands/{sid}': decideBrand,
  'POST /control/brands/{sid}/click-link': clickLink,
  'POST /control/campaigns/{sid}': decideCampaign,
  'POST /control/events': emitEvent,
  'POST /control/reset': ({ world }) => {
    world.reset();
    return { status: 200, body: {} };
  },
};

/** Routes with names in their paths, as expressions with groups of these names. */
const PATTERNS = Object.entries(ROUTES)
  .filter(([route]) => route.includes('{'))
  .map(([route, handler]) => ({ pattern: new RegExp(`^${route.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`), handler }));

function find(route: string): { handler: ControlHandler; params: Record<string, string> } | undefined {
  const handler = ROUTES[route];
  if (handler !== undefined) return { handler, params: {} };
  for (const { pattern, handler } of PATTERNS) {
    const match = pattern.exec(route);
    if (match !== null) return { handler, params: { ...match.groups } };
  }
  return undefined;
}

/** The handler of `/control/…`. */
export function controlApi(world: World) {
  return async (method: string, path: string, query: URLSearchParams, bodyText: string): Promise<ControlAnswer> => {
    const found = find(`${method} ${path}`);
    if (found === undefined) {
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
      return await found.handler({ world, params: found.params, query, body });
    } catch (error) {
      if (error instanceof ControlError) return { status: error.status, body: error };
      if (error instanceof ClockError) return { status: 409, body: { error: error.message } };
      throw error;
    } finally {
      if (method !== 'GET') world.changed();
    }
  };
}
