/** Consent of a contact: its ledger, new facts for it, and the export of all of it. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type LedgerRow, listLedger } from '../../db/consent/consent.ts';
import { findContact } from '../../db/contacts/contacts.ts';
import type { Database } from '../../db/database.ts';
import { tellOfMessages } from '../../db/messages/messages.ts';
import { isAnyToLeave, recordAndSettle } from '../../db/consent/settling.ts';
import { purposes } from '../../domain/purpose.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { csvLine } from '../shared/csv-line.ts';
import { command } from '../shared/idempotency.ts';
import { wakeAfterCommit } from '../messages/wake.ts';
import { decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound } from '../shared/problems.ts';
import { id, idParams, instant, text } from '../shared/schemas.ts';
import { limits } from './schemas.ts';

const newFact = z.strictObject({
  purpose: z.enum(purposes),
  granted: z.boolean(),
  method: text(limits.method).meta({ description: 'How it was obtained', examples: ['web_form', 'paper', 'verbal'] }),
  evidence: text(limits.evidence).nullable().default(null).meta({ description: 'What proves it' }),
  source: text(limits.source)
    .nullable()
    .default(null)
    .meta({
      description: 'From which number or page it came',
      examples: ['https://acme.example/apply', '+13125550100'],
    }),
});

const entry = z
  .object({
    id: id('ledgerEntry'),
    contactId: id('contact'),
    phoneNumber: z.string().nullable().meta({ description: "The contact's number at that time" }),
    purpose: z.enum(purposes),
    granted: z.boolean(),
    method: z.string(),
    evidence: z.string().nullable(),
    actor: z.string(),
    source: z.string().nullable().meta({ description: 'The number or page it came from' }),
    at: instant,
  })
  .meta({ id: 'ConsentEntry' });

const toEntry = (row: LedgerRow): z.infer<typeof entry> => ({
  id: row.id,
  contactId: row.contact_id,
  phoneNumber: row.phone_number,
  purpose: row.purpose,
  granted: row.granted,
  method: row.method,
  evidence: row.evidence,
  actor: row.actor,
  source: row.source,
  at: row.at.toISOString(),
});

const csvColumns = [
  'id',
  'contactId',
  'phoneNumber',
  'purpose',
  'granted',
  'method',
  'evidence',
  'actor',
  'source',
  'at',
] as const satisfies readonly (keyof z.infer<typeof entry>)[];

/** The ledger as CSV, a page of rows at a time, each in a transaction of its own. */
async function* exportLedger(database: Database, organizationId: string): AsyncGenerator<string> {
  yield csvLine(csvColumns);
  const limit = 1_000;
  let after: string | undefined;
  do {
    const page: LedgerRow[] = await database.inOrganization(organizationId, (trx) =>
      listLedger(trx, organizationId, { limit, after }),
    );
    yield page
      .map(toEntry)
      .map((one) => csvLine(csvColumns.map((name) => one[name])))
      .join('');
    after = page.length === limit ? page.at(-1)!.id : undefined;
  } while (after !== undefined);
}

export const consentRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Consent'];
  const config = { access: 'contacts:manage' } as const;

  app.post(
    '/contacts/:id/consent',
    {
      config,
      schema: {
        tags,
        summary: 'Record that consent was given or withdrawn',
        params: idParams,
        body: newFact,
        response: { 201: entry },
      },
    },
    async (request, reply) => {
      const fact = { ...request.body, actor: actorOf(request) };
      const [organizationId, contactId] = [organizationOf(request), request.params.id];
      let isToWake = false;
      const { status, body } = await command(request, reply, async (trx) => {
        const now = clock.now();
        const { entry: row, changed } = await recordAndSettle(trx, organizationId, contactId, fact, now);
        if (!row) throw notFound('contact');
        isToWake = isAnyToLeave(changed);
        await tellOfMessages(trx, organizationId, changed, now);
        return { status: 201 as const, body: toEntry(row) };
      });
      if (isToWake) await wakeAfterCommit(request);
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/contacts/:id/consent',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: "Read a contact's consent ledger, oldest first",
        description: 'Kept, and readable, after the contact is deleted.',
        params: idParams,
        querystring: z.object(pageQuery),
        response: { 200: pageOf(entry) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { id: contactId } = request.params;
      const after = decodeIdCursor(cursor);
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        const rows = await listLedger(trx, organizationId, { contactId, limit: limit + 1, after });
        if (rows.length === 0 && !(await findContact(trx, organizationId, contactId))) throw notFound('contact');
        return toPage(rows, limit, (row) => row.id, toEntry);
      });
    },
  );

  app.get(
    '/consent/export',
    {
      config,
      schema: {
        tags,
        summary: 'Export the consent ledger as CSV',
        response: { 200: { content: { 'text/csv': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      const rows = Readable.from(exportLedger(database, organizationOf(request)));
      reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="consent.csv"');
      return reply.send(rows as never);
    },
  );
};
