/** Contacts: the people who are texted. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  deleteContact,
  findContact,
  insertContact,
  listContacts,
  listContactsOnList,
  setLists,
  updateContact,
} from '../../db/contacts/contacts.ts';
import { lockRequestsTo, settleUnreachable } from '../../db/consent/settling.ts';
import type { Trx } from '../../db/database.ts';
import { findUser } from '../../db/organizations/users.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { decodeCursor, decodeIdCursor, pageOf, pageQuery, toPage } from '../shared/pagination.ts';
import { notFound, refused } from '../shared/problems.ts';
import { idParams, nothing, search, text } from '../shared/schemas.ts';
import { contact, contactChanges, limits, newContact, toContact } from './schemas.ts';

/** A foreign key would accept a user of another organization. */
async function requireOwner(trx: Trx, organizationId: string, ownerId: string | null | undefined): Promise<void> {
  if (ownerId && !(await findUser(trx, organizationId, ownerId))) {
    throw refused('unknown_user', 'ownerId is not a user of this organization: GET /v1/users lists them.');
  }
}

/** @throws {Problem} 422 for a change that leaves more attributes than there may be; whoever only removes some may go on */
function requireFewAttributes(
  { attributes }: { attributes: object },
  changes: Record<string, string | null> = {},
): void {
  const count = Object.keys(attributes).length;
  if (count <= limits.attributes || Object.values(changes).every((value) => value === null)) return;
  throw refused(
    'too_many_attributes',
    `The contact would have ${count} attributes, and may have ${limits.attributes}: remove some by setting them to null.`,
  );
}

async function readContact(trx: Trx, organizationId: string, id: string) {
  const row = await findContact(trx, organizationId, id);
  if (!row) throw notFound('contact');
  return toContact(row);
}

export const contactRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Contacts'];

  app.post(
    '/contacts',
    {
      config: { access: 'contacts:manage' },
      schema: { tags, summary: 'Add a contact', body: newContact, response: { 201: contact } },
    },
    async (request, reply) => {
      const { lists = [], ...fields } = request.body;
      const organizationId = organizationOf(request);
      const { status, body } = await command(request, reply, async (trx) => {
        await requireOwner(trx, organizationId, fields.ownerId);
        const id = await insertContact(trx, organizationId, fields, clock.now());
        await setLists(trx, organizationId, id, lists, clock.now());
        return { status: 201 as const, body: await readContact(trx, organizationId, id) };
      });
      return reply.code(status).send(body);
    },
  );

  app.get(
    '/contacts',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List contacts, or search them',
        description: 'In order of creation; with `list`, in rank order of the list.',
        querystring: z.object({
          q: search('Part of the name or email, or digits of the mobile number'),
          list: text(limits.listName).optional().meta({ description: 'The name of a contact list' }),
          ...pageQuery,
        }),
        response: { 200: pageOf(contact) },
      },
    },
    async (request) => {
      const { q, list, limit, cursor } = request.query;
      const organizationId = organizationOf(request);
      if (list !== undefined) {
        const after = decodeCursor(cursor, z.int().min(0));
        const rows = await database.inOrganization(organizationId, (trx) =>
          listContactsOnList(trx, organizationId, list, { q, limit: limit + 1, after }),
        );
        return toPage(rows, limit, (row) => row.position, toContact);
      }
      const after = decodeIdCursor(cursor);
      const rows = await database.inOrganization(organizationId, (trx) =>
        listContacts(trx, organizationId, { q, limit: limit + 1, after }),
      );
      return toPage(rows, limit, (row) => row.id, toContact);
    },
  );

  app.get(
    '/contacts/:id',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'Read a contact', params: idParams, response: { 200: contact } },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, (trx) => readContact(trx, organizationId, request.params.id));
    },
  );

  app.patch(
    '/contacts/:id',
    {
      config: { access: 'contacts:manage' },
      schema: {
        tags,
        summary: 'Change a contact',
        description:
          'Only the fields that are sent change; `lists` replaces the lists the contact is on. Consent is for a number: with another `mobile` it is withdrawn, and the ledger says so.',
        params: idParams,
        body: contactChanges,
        response: { 200: contact },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { lists, ...fields } = request.body;
      const organizationId = organizationOf(request);
      return database.inOrganization(organizationId, async (trx) => {
        await requireOwner(trx, organizationId, fields.ownerId);
        const stamp = { by: actorOf(request), at: clock.now() };
        const mayRenumber = fields.mobile !== undefined;
        if (mayRenumber) await lockRequestsTo(trx, organizationId, id);
        if (!(await updateContact(trx, organizationId, id, fields, stamp))) throw notFound('contact');
        if (mayRenumber) await settleUnreachable(trx, organizationId, id, stamp.at);
        if (lists) await setLists(trx, organizationId, id, lists, clock.now());
        const changed = await readContact(trx, organizationId, id);
        requireFewAttributes(changed, fields.attributes);
        return changed;
      });
    },
  );

  app.delete(
    '/contacts/:id',
    {
      config: { access: 'contacts:manage' },
      schema: {
        tags,
        summary: 'Delete a contact',
        description: 'Its consent ledger and the history of its messages are kept.',
        params: idParams,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const organizationId = organizationOf(request);
      await database.inOrganization(organizationId, async (trx) => {
        await lockRequestsTo(trx, organizationId, id);
        if (!(await deleteContact(trx, organizationId, id))) throw notFound('contact');
        await settleUnreachable(trx, organizationId, id, clock.now());
        await audit(trx, request, 'contact.deleted', id);
      });
      return reply.code(204).send();
    },
  );
};
