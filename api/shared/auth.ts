/** Who is calling, in which organization, and whether they may: by API key. */
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Database } from '../../db/database.ts';
import { findKey, findUserState, organizationExists, type KeyOwner } from '../../db/organizations/api-keys.ts';
import type { App } from '../deps.ts';
import { type Access, type Permission, permissions } from './permissions.ts';
import { forbidden, invalid, notFound, Problem, unauthorized } from './problems.ts';

export interface Principal {
  keyId: string;
  kind: 'operator' | 'organization' | 'user';
  /** The organization acted in; null for an operator who named none. */
  organizationId: string | null;
  /** The user acted as. */
  userId: string | null;
  permissions: ReadonlySet<Permission>;
}

export interface Authenticator {
  authenticate(request: FastifyRequest): Promise<Principal>;
  /** Forgets what was looked up: after a key is revoked or a user changed, in this process at once. */
  forget(): void;
}

/** In other processes a revoked key is refused after this long. */
const cacheMillis = 2_000;
const cacheEntries = 10_000;

/** What is stored of a key: keys are random, so one round of SHA-256 is enough, and equality of hashes tells no timing. */
export const hashKey = (key: string): Buffer => createHash('sha256').update(key, 'utf8').digest();

/** A new key, shown once. */
export const newKey = (kind: Principal['kind']): string => `lw_${kind}_${randomBytes(32).toString('base64url')}`;

const bearer = /^Bearer +([\w.~+/=-]{1,512})$/i;
const ids = { 'longwave-organization': /^org_[0-9a-f-]{36}$/, 'longwave-user': /^usr_[0-9a-f-]{36}$/ } as const;

function idHeader(request: FastifyRequest, name: keyof typeof ids): string | null {
  const value = request.headers[name];
  if (value === undefined || value === '') return null;
  if (typeof value === 'string' && ids[name].test(value)) return value;
  throw notFound(name === 'longwave-user' ? 'user' : 'organization');
}

const intersection = (key: readonly string[], user: readonly string[] | null): Set<Permission> =>
  new Set(
    permissions.filter((name) => (key.length === 0 || key.includes(name)) && (user === null || user.includes(name))),
  );

const inactive = 'This user is deactivated: activate the user, or use the key of another one.';

/** Looks keys up in Postgres, and remembers what it found for two seconds. */
export function createAuthenticator(database: Database): Authenticator {
  const cache = new Map<string, { principal: Principal; until: number }>();

  async function principalOf(
    owner: KeyOwner,
    organizationHeader: string | null,
    userHeader: string | null,
  ): Promise<Principal> {
    const { id: keyId, kind } = owner;
    if (kind !== 'operator' && organizationHeader && organizationHeader !== owner.organizationId) {
      throw forbidden('Only operator keys can name another organization: leave the header Longwave-Organization out.');
    }
    const organizationId = owner.organizationId ?? organizationHeader;
    if (kind === 'operator' && organizationId && !(await organizationExists(database.system, organizationId))) {
      throw notFound('organization');
    }
    if (kind === 'user' && userHeader && userHeader !== owner.userId) {
      throw forbidden('A user key acts as its own user only: leave the header Longwave-User out.');
    }
    const userId = owner.userId ?? userHeader;
    if (!userId) return { keyId, kind, organizationId, userId, permissions: intersection(owner.permissions, null) };
    if (!organizationId) {
      throw invalid([{ path: 'Longwave-Organization', message: 'is needed beside Longwave-User' }]);
    }
    const user = await findUserState(database.system, organizationId, userId);
    if (!user) throw notFound('user');
    if (!user.active) throw kind === 'user' ? unauthorized(inactive) : forbidden(inactive);
    return { keyId, kind, organizationId, userId, permissions: intersection(owner.permissions, user.permissions) };
  }

  return {
    forget: () => cache.clear(),
    async authenticate(request) {
      const { authorization } = request.headers;
      if (!authorization) throw unauthorized('Send an API key in the header Authorization: Bearer <key>.');
      const [, key] = bearer.exec(authorization) ?? [];
      if (!key) throw unauthorized('The header Authorization must read: Bearer <key>.');
      const hash = hashKey(key);
      const organization = idHeader(request, 'longwave-organization');
      const user = idHeader(request, 'longwave-user');
      const entry = [hash.toString('hex'), organization, user].join();
      const known = cache.get(entry);
      if (known && known.until > performance.now()) return known.principal;
      const owner = await findKey(database.system, hash);
      if (!owner) throw unauthorized('This API key is not valid or was revoked: ask for a new one.');
      const principal = await principalOf(owner, organization, user);
      if (cache.size >= cacheEntries) cache.clear();
      cache.set(entry, { principal, until: performance.now() + cacheMillis });
      return principal;
    },
  };
}

/** @throws {Problem} when the principal may not call a route of this access */
function authorize(principal: Principal, access: Access): void {
  if (access === 'public') return;
  if (access === 'operator') {
    if (principal.kind !== 'operator') throw forbidden('This route needs an operator key.', 'operator');
    return;
  }
  if (!principal.organizationId) {
    throw invalid(
      [{ path: 'Longwave-Organization', message: 'is missing' }],
      'With an operator key, name the organization to act in with the header Longwave-Organization: org_….',
    );
  }
  if (access !== 'member') requirePermission(principal, access);
}

/** For rules finer than a route: throws a 403 that names the permission. */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (principal.permissions.has(permission)) return;
  const whom = principal.userId ? 'this user' : 'this key';
  throw forbidden(
    `This needs the permission ${permission}, which ${whom} does not have: ask an administrator.`,
    permission,
  );
}

/** Authenticates before a body is read, and refuses to register a route under `/v1` that does not say who may call it. */
export function addAuthentication(app: App): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (url.startsWith('/v1') && !config?.access) throw new Error(`the route ${url} does not declare its access`);
  });
  app.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config;
    if (!access || access === 'public') return;
    await app.deps.clock.sync();
    request.principal = await app.authenticator.authenticate(request);
    authorize(request.principal, access);
  });
}

/** The caller; only for routes that are not public. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error('a public route has no caller');
  return request.principal;
}

/** The organization this request acts in; only for routes of a tenant. */
export function organizationOf(request: FastifyRequest): string {
  const { organizationId } = principalOf(request);
  if (!organizationId) throw new Problem({ status: 400, slug: 'bad-request', detail: 'Name an organization.' });
  return organizationId;
}

/** Who acted, as ledgers and the audit log write it: `user:usr_…`, `organization:key_…` or `operator:key_…`. */
export function actorOf(request: FastifyRequest): string {
  const { userId, kind, keyId } = principalOf(request);
  return userId ? `user:${userId}` : `${kind}:${keyId}`;
}
