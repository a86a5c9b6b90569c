/** One request of Twilio's API from path to answer: operation, account, faults, validation, handler, validation of the answer. */
import querystring from 'node:querystring';
import { requestFault } from '../faults.ts';
import type { Values } from '../openapi/operation.ts';
import { operationTable } from '../openapi/table.ts';
import { resources } from '../resources.ts';
import type { World } from '../world.ts';
import { internalError, notFound, notModelled, tooManyRequests, TwilioError } from './errors.ts';
import type { Answer, Call } from './operations.ts';

interface ApiRequest {
  method: string;
  /** First segment of the path: `api`, `messaging`, … */
  product: string;
  /** The rest: the path on Twilio's host. */
  path: string;
  queryText: string;
  /** Form-encoded body, empty if there was none. */
  formText: string;
  authorization: string | undefined;
  apiVersion: string | undefined;
}

export interface ApiOutcome {
  /** An answer, or `cut`: processed, and now the connection is to be cut. */
  answer: Answer | 'cut';
  /** `operationId`; undefined where the path is none of Twilio's. */
  operation: string | undefined;
}

type ApiHandler = (request: ApiRequest) => Promise<ApiOutcome>;

const NO_VALUES = () => ({}) as Values;
const parse = (text: string): Values => (text === '' ? NO_VALUES() : querystring.parse(text, '&', '=', { maxKeys: 0 }));

/**
 * The handler of Twilio's API.
 *
 * @throws when a resource names an operation that Twilio's documents do not have
 */
export function twilioApi(world: World): ApiHandler {
  const table = operationTable();
  const handlers = resources(world);
  for (const id of Object.keys(handlers)) {
    if (!table.byId.has(id)) throw new Error(`Twilio's OpenAPI documents have no operation ${id}`);
  }

  async function answer(request: ApiRequest, found: ReturnType<typeof table.find>): Promise<Answer | 'cut'> {
    const { method, path, apiVersion } = request;
    const caller = world.accounts.authenticate(request.authorization);
    if (found === undefined) throw notFound(path);
    const { operation, params } = found;
    const { product } = operation;
    const account = world.accounts.actingOn(caller, product, params['AccountSid'], method !== 'GET');

    const fault = requestFault(world.behaviour, method !== 'GET');
    if (fault === 'refuse429') throw tooManyRequests();
    if (fault === 'fail500') throw internalError();

    const query = parse(request.queryText);
    const form = parse(request.formText);
    operation.checkRequest(path, params, query, form);
    const handler = handlers[operation.id];
    if (handler === undefined) throw notModelled(`${operation.id} (${method} ${operation.template})`);
    const call: Call = { product, path, account, caller, params, query, form, apiVersion };
    const result = await handler(call);

    const wrong = operation.answerFault(result.status, result.body);
    if (wrong !== undefined) {
      world.log(`The simulator's answer is not one of Twilio's: ${wrong}`);
      throw internalError(`The simulator's answer is not one of Twilio's: ${wrong}`);
    }
    if (fault === 'process500') throw internalError();
    return fault === 'drop' ? 'cut' : result;
  }

  async function answerOrError(request: ApiRequest, found: ReturnType<typeof table.find>): Promise<Answer | 'cut'> {
    try {
      return await answer(request, found);
    } catch (error) {
      if (error instanceof TwilioError) {
        // What the OpenAPI document does not allow is a mistake of the caller's code: somebody should read it.
        if (error.code === 20001 || error.code === 20501)
          world.log(`${request.method} ${request.path}: ${error.message}`);
        return { status: error.status, body: error };
      }
      world.log(`${request.method} ${request.path}: ${error instanceof Error ? error.stack : String(error)}`);
      return { status: 500, body: internalError(String(error)) };
    }
  }

  return async (request) => {
    const found = table.find(request.method, `/${request.product}${request.path}`);
    const answered = await answerOrError(request, found);
    // What was refused may have changed something before.
    if (request.method !== 'GET') world.changed();
    return { answer: answered, operation: found?.operation.id };
  };
}
