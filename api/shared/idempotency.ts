/** `Idempotency-Key`: the same key and body answers the first result again, however often and however concurrently. */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Trx } from '../../db/database.ts';
import {
  begun,
  claimKey,
  freeKey,
  type IdempotencyClaim,
  type StoredAnswer,
  storeAnswer,
} from '../../db/organizations/idempotency.ts';
import { isLockTimeout } from '../../db/violations.ts';
import { principalOf } from './auth.ts';
import type { App } from '../deps.ts';
import { invalid, Problem, refused, tooMany } from './problems.ts';

/** What a command answers. */
export interface Answer<Status extends number = number, Body = unknown> {
  status: Status;
  body?: Body;
}

/** The part of a reply that commands use; routes type the rest. */
interface AnyReply {
  header(name: string, value: string): unknown;
}

/** The same for equal JSON whatever the order of fields; depth was limited before. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, child]) => `${JSON.stringify(name)}:${canonical(child)}`).join()}}`;
}

/** Reads the header of every POST, and hashes the request before schemas fill in defaults. */
export function addIdempotency(app: App): void {
  app.decorateRequest('idempotency', null);
  app.addHook('preValidation', async (request) => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined || !request.principal) return;
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw invalid([{ path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' }]);
    }
    const hash = createHash('sha256').update(`${request.method} ${request.url}\n`);
    // A body that its handler reads by itself is hashed there.
    if (!request.routeOptions.config.rawBody) hash.update(canonical(request.body ?? null));
    request.idempotency = { key, hash: hash.digest() };
  });
}

/** The claim of this request, or null without the header. */
export function claimOf(request: FastifyRequest): IdempotencyClaim | null {
  if (!request.idempotency) return null;
  const { organizationId, userId } = principalOf(request);
  const tenant = request.routeOptions.config.access === 'operator' ? null : organizationId;
  const scope = [tenant ?? 'operator', ...(userId ? [userId] : [])].join('/');
  return { scope, key: request.idempotency.key, organizationId: tenant };
}

/** Runs in the organization's transaction, or in the system's on operator routes. */
export function inTransaction<T>(request: FastifyRequest, work: (trx: Trx) => Promise<T>): Promise<T> {
  const { database } = request.server.deps;
  const { organizationId } = principalOf(request);
  if (request.routeOptions.config.access === 'operator' || !organizationId)
    return database.system.transaction().execute(work);
  return database.inOrganization(organizationId, work);
}

/**
 * Takes the key for this transaction; waits while another request has it.
 *
 * @returns null when the key is ours now; else what was answered to it
 * @throws {Problem} 429 when the other one takes longer than anybody waits
 */
export async function takeKey(
  trx: Trx,
  claim: IdempotencyClaim,
  hash: Buffer,
  now: Date,
): Promise<StoredAnswer | null> {
  try {
    return await claimKey(trx, claim, hash, now);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw tooMany('A request with this Idempotency-Key is still under way: send this one again in 10 seconds.', 10);
  }
}

/** @throws {Problem} 422 when the key was used for something else */
export function requireSameRequest(stored: StoredAnswer, hash: Buffer): void {
  if (stored.hash.equals(hash)) return;
  throw refused(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request within 24 hours: use a new key for a new request.',
  );
}

/** The first answer, marked as such. */
export function replay(reply: AnyReply, { status, body }: StoredAnswer): Answer {
  reply.header('idempotency-replayed', 'true');
  return { status, body };
}

interface CommandOptions {
  /** Encrypts the stored answer: for answers that hold a secret. */
  sealed?: boolean;
}

/**
 * Runs a POST whose effect is one transaction, once per `Idempotency-Key`. The key is taken first, in the same
 * transaction, so a concurrent second request waits for the first and then repeats its answer. Whatever `work` throws
 * undoes both.
 *
 * @param work the effect; answers 2xx
 */
export async function command<A extends Answer>(
  request: FastifyRequest,
  reply: AnyReply,
  work: (trx: Trx) => Promise<A>,
  { sealed = false }: CommandOptions = {},
): Promise<A> {
  const claim = claimOf(request);
  const { clock, secrets } = request.server.deps;
  return inTransaction(request, async (trx) => {
    if (!claim) return work(trx);
    const { hash } = request.idempotency!;
    const stored = await takeKey(trx, claim, hash, clock.now());
    if (stored) {
      requireSameRequest(stored, hash);
      const body = sealed ? (JSON.parse(secrets.decrypt(String(stored.body))) as unknown) : stored.body;
      return replay(reply, { ...stored, body }) as A;
    }
    const answer = await work(trx);
    const body = sealed ? secrets.encrypt(JSON.stringify(answer.body)) : answer.body;
    await storeAnswer(trx, claim, { hash, status: answer.status, body });
    return answer;
  });
}

/** What is told of an effect that is under way is no result: the same request again looks how far it is by now. */
const stillRunning = 202;

const isResult = ({ status }: StoredAnswer): boolean => status !== begun && status !== stillRunning;

/** Whether it is certain that a request which ended in this error had no effect, and never will. */
const isRefusal = (error: unknown): boolean => error instanceof Problem && error.status < 500;

/**
 * Runs a POST whose effect is not a transaction (a workflow update): reserves the key for this request, runs, stores.
 * Another request under the same key is refused from the reservation on; the same request runs too, while the first does
 * and after a 202, so `work` must be harmless twice. It gets an id that is the same for the same request, for example for
 * the id of an update.
 *
 * A request that was refused frees the key: it can be corrected. After a crash, or where nobody knows what became of the
 * request, the key stays reserved for it.
 *
 * @param work the effect; answers 2xx
 */
export async function commandOutside<A extends Answer>(
  request: FastifyRequest,
  reply: AnyReply,
  work: (requestKey: string | null) => Promise<A>,
): Promise<A> {
  const claim = claimOf(request);
  if (!claim) return work(null);
  const { hash } = request.idempotency!;
  const now = request.server.deps.clock.now();
  const before = await inTransaction(request, (trx) => takeKey(trx, claim, hash, now));
  if (before) {
    requireSameRequest(before, hash);
    if (isResult(before)) return replay(reply, before) as A;
  }
  const requestKey = createHash('sha256').update(`${claim.scope} ${claim.key} `).update(hash).digest('hex');
  let answer: A;
  try {
    answer = await work(requestKey);
  } catch (error) {
    if (isRefusal(error)) await inTransaction(request, (trx) => freeKey(trx, claim, hash));
    throw error;
  }
  return inTransaction(request, async (trx) => {
    const stored = await takeKey(trx, claim, hash, now);
    // Freed by the same request, which was refused, and taken by another one since: this one has had its effect all the same.
    if (stored && !stored.hash.equals(hash)) return answer;
    if (stored && isResult(stored)) return replay(reply, stored) as A;
    await storeAnswer(trx, claim, { hash, status: answer.status, body: answer.body });
    return answer;
  });
}
