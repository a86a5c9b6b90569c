/** Importing contacts: a CSV file of any size, streamed. */
import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { importChunk } from '../../db/contacts/import.ts';
import { allowIdle } from '../../db/database.ts';
import { storeAnswer } from '../../db/organizations/idempotency.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { type Answer, claimOf, inTransaction, replay, requireSameRequest, takeKey } from '../shared/idempotency.ts';
import { wakeAfterCommit } from '../messages/wake.ts';
import { invalid, Problem, tooMany } from '../shared/problems.ts';
import { text } from '../shared/schemas.ts';
import { importContacts, type ImportResult } from './importer.ts';
import { limits } from './schemas.ts';

const maxBytes = 200 * 1024 * 1024;
/** For the last byte to arrive. */
export const longestUploadMs = 600_000;
/** Then the last two chunks are written. */
const lastChunksMs = 120_000;
/** Each import holds up to two connections to Postgres. */
const maxAtOnce = 4;

const result = z
  .object({
    imported: z.int().min(0).meta({ description: 'New contacts' }),
    updated: z.int().min(0).meta({ description: 'Rows that changed a contact' }),
    rejected: z
      .array(z.object({ line: z.int().min(1), reason: z.string() }))
      .meta({ description: 'By line of the file; at most 10,000 are listed' }),
    rejectedCount: z.int().min(0).meta({ description: 'All that were rejected' }),
  })
  .meta({
    id: 'ImportResult',
    examples: [
      {
        imported: 1_998,
        updated: 1,
        rejected: [{ line: 17, reason: 'mobile: this is not a phone number; expected one like +14155550123' }],
        rejectedCount: 1,
      },
    ],
  });

const description = `A CSV file in UTF-8 with a header row: \`firstName\`, \`lastName\`, \`mobile\`, \`homePhone\`,
\`email\`, \`postalCode\`, \`timeZone\`, \`lists\` (separated by \`;\`), \`consent\` (transactional, promotional or both),
\`consentMethod\`, \`consentEvidence\`, \`consentSource\` (the number or page it came from); any other column becomes an
attribute. A row updates the contact with its mobile number, or without one its email; empty cells leave values as they are.
Bad rows are reported, good rows are kept.`;

/** The bytes of a request, hashed as they pass. Closing the request early ends the iteration with an error. */
async function* bytesOf(raw: IncomingMessage, hash: Hash): AsyncGenerator<Buffer> {
  let total = 0;
  try {
    for await (const bytes of raw as AsyncIterable<Buffer>) {
      total += bytes.length;
      if (total > maxBytes) throw tooLarge();
      hash.update(bytes);
      yield bytes;
    }
  } catch (error) {
    if (error instanceof Problem || raw.complete) throw error;
    throw invalid([{ path: 'body', message: 'ended too early' }], 'The upload was cut off: send the file again.');
  }
}

const tooLarge = () =>
  new Problem({
    status: 413,
    slug: 'payload-too-large',
    detail: `The file is larger than ${maxBytes} bytes: send it in parts.`,
  });

/** A hash that already names the method, the address and what else the key stands for. */
const startHash = ({ idempotency }: FastifyRequest): Hash => {
  const hash = createHash('sha256');
  return idempotency ? hash.update(idempotency.hash) : hash;
};

async function run(request: FastifyRequest, hash: Hash, list: string | undefined): Promise<ImportResult> {
  const { database, clock } = request.server.deps;
  const organizationId = organizationOf(request);
  const actor = actorOf(request);
  return importContacts({
    bytes: bytesOf(request.body as IncomingMessage, hash),
    list,
    write: async (rows) => {
      const written = await database.inOrganization(organizationId, (trx) =>
        importChunk(trx, { organizationId, rows, actor, at: clock.now() }),
      );
      if (written.isToWake) await wakeAfterCommit(request);
      return written;
    },
  });
}

type Reply = Parameters<typeof replay>[0];

/** The key is claimed first and kept until the last chunk is written, as in `command`; the body is hashed on the way. */
async function importOnce(request: FastifyRequest, reply: Reply, list: string | undefined): Promise<ImportResult> {
  const claim = claimOf(request);
  const organizationId = organizationOf(request);
  const hash = startHash(request);
  if (!claim) {
    const body = await run(request, hash, list);
    await inTransaction(request, (trx) => audit(trx, request, 'contacts.imported', organizationId, counts(body)));
    return body;
  }
  const answer: Answer<number, ImportResult> = await inTransaction(request, async (trx) => {
    await allowIdle(trx, longestUploadMs + lastChunksMs);
    const stored = await takeKey(trx, claim, Buffer.alloc(32), request.server.deps.clock.now());
    if (stored) {
      for await (const bytes of bytesOf(request.body as IncomingMessage, hash)) void bytes;
      requireSameRequest(stored, hash.digest());
      return replay(reply, stored) as Answer<number, ImportResult>;
    }
    const body = await run(request, hash, list);
    await audit(trx, request, 'contacts.imported', organizationId, counts(body));
    await storeAnswer(trx, claim, { hash: hash.digest(), status: 200, body });
    return { status: 200, body };
  });
  return answer.body!;
}

const counts = ({ imported, updated, rejectedCount }: ImportResult) => ({ imported, updated, rejected: rejectedCount });

export const contactImportRoutes: FastifyPluginAsyncZod = async (app) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
  let running = 0;

  app.post(
    '/contacts/import',
    {
      config: {
        access: 'contacts:manage',
        rawBody: { type: 'text/csv', schema: { type: 'string', contentMediaType: 'text/csv' } },
      },
      schema: {
        tags: ['Contacts'],
        summary: 'Import contacts from CSV',
        description,
        querystring: z.object({
          list: text(limits.listName).optional().meta({ description: 'Puts every imported contact on this list' }),
        }),
        response: { 200: result },
      },
    },
    async (request, reply) => {
      if (!request.body) throw invalid([{ path: 'body', message: 'is missing' }], 'Send the CSV file as the body.');
      if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
      if (running >= maxAtOnce)
        throw tooMany(`${maxAtOnce} imports are running: send this one again in 10 seconds.`, 10);
      running += 1;
      try {
        return await importOnce(request, reply, request.query.list);
      } finally {
        running -= 1;
      }
    },
  );
};
