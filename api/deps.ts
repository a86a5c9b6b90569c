/** What the API is given. Built by `main.ts`, and by tests. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { SecretBox } from '../db/secrets.ts';
import type { Prices } from '../domain/mass-sms/forecast.ts';
import type { SiteCheck } from '../domain/registration/preflight.ts';
import type { TwilioGateway } from '../twilio/gateway.ts';
import type { Authenticator, Principal } from './shared/auth.ts';
import type { Access } from './shared/permissions.ts';
import type { LogOptions } from './plugins/logging.ts';
import type { TemporalPort } from './temporal/connection.ts';

export interface Deps {
  database: Database;
  clock: Clock;
  secrets: SecretBox;
  temporal: TemporalPort;
  twilio: TwilioGateway;
  /** Opens a page that a customer named, as a reviewer would. Never throws. */
  checkSite: (url: string) => Promise<SiteCheck>;
  /** Where the outside reaches this API, without a trailing slash. */
  publicUrl: string;
  /** Webhooks may go to this machine itself, also by http. */
  webhooksToLoopback: boolean;
  /** What a segment costs, for forecasts. */
  prices: Prices;
  log: LogOptions;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyInstance {
    deps: Deps;
    authenticator: Authenticator;
  }
  interface FastifyRequest {
    /** Set by authentication before the handler runs; null on public routes. */
    principal: Principal | null;
    /** What `Idempotency-Key` asks for; null without the header. */
    idempotency: { key: string; hash: Buffer } | null;
  }
  interface FastifyContextConfig {
    /** Every route under `/v1` declares it. */
    access?: Access;
    /** Whoever calls it signs: nothing is said of what a request holds before that was checked. */
    isSigned?: true;
    /** The body is of this type, and the handler reads it by itself: as a stream, or byte by byte as it was signed. */
    rawBody?: { type: string; schema: Record<string, unknown> };
  }
}
