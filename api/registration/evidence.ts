/** Evidence of how contacts opt in: uploaded once, and opened by the carriers' reviewers without a key. */
import { createHash, randomBytes } from 'node:crypto';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { countNewEvidence, evidenceByToken, insertEvidence, type NewEvidence } from '../../db/registration/evidence.ts';
import { isEditable } from '../../domain/registration/status.ts';
import { audit } from '../shared/audit.ts';
import { actorOf, organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { notFound, refused } from '../shared/problems.ts';
import { openQuestionnaire } from './questionnaire.ts';
import { toEvidence } from './read.ts';
import { evidence } from './schemas.ts';
import { notNow } from './standing.ts';
import { cleanFileName, mediaTypeOf, readUpload, type Upload } from './upload.ts';

/** For one submission of an organization's campaign: after a rejection as many again may be added. */
const mostFiles = 10;

/** The rest of what an Idempotency-Key stands for: the file, not the form around it, whose boundary differs each time. */
function hashUpload(request: FastifyRequest, { fileName, content }: Upload): void {
  if (!request.idempotency) return;
  const { key, hash } = request.idempotency;
  const whole = createHash('sha256')
    .update(hash)
    .update(`${JSON.stringify(fileName)}\n`)
    .update(content);
  request.idempotency = { key, hash: whole.digest() };
}

async function keep(trx: Trx, request: FastifyRequest, upload: Upload, mediaType: NewEvidence['mediaType']) {
  const { clock, publicUrl } = request.server.deps;
  const at = clock.now();
  const { organization, facts } = await openQuestionnaire(trx, organizationOf(request), at);
  if (!isEditable(facts)) throw notNow('intake', facts);
  if ((await countNewEvidence(trx, organization.id)) >= mostFiles) {
    throw refused(
      'too_many_files',
      `There are ${mostFiles} files of evidence for this submission already, and no more are kept.`,
    );
  }
  const row = await insertEvidence(trx, {
    organizationId: organization.id,
    token: randomBytes(32).toString('base64url'),
    fileName: cleanFileName(upload.fileName, mediaType),
    mediaType,
    content: upload.content,
    sha256: createHash('sha256').update(upload.content).digest(),
    actor: actorOf(request),
    at,
  });
  await audit(trx, request, 'registration.evidence_added', row.id, { mediaType, size: row.size });
  return toEvidence({ ...row, superseded: false }, publicUrl);
}

export const evidenceRoutes: FastifyPluginAsyncZod = async (app) => {
  app.removeAllContentTypeParsers();
  await app.register(multipart);

  app.post(
    '/registration/evidence',
    {
      config: {
        access: 'registration:manage',
        rawBody: {
          type: 'multipart/form-data',
          schema: {
            type: 'object',
            properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } },
            required: ['file'],
          },
        },
      },
      schema: {
        tags: ['Registration'],
        summary: 'Add a screenshot or a document that shows how contacts opt in',
        description: `A PNG, JPEG or PDF of at most 5 MiB in the field \`file\`; its content decides what it is, not its name. At most
${mostFiles} files are kept for each submission of the campaign. After a rejection, new files supersede those that were
rejected: reviewers are not shown these again, but their addresses stay.`,
        response: { 201: evidence },
      },
    },
    async (request, reply) => {
      const upload = await readUpload(request);
      hashUpload(request, upload);
      const mediaType = await mediaTypeOf(upload);
      const { status, body } = await command(request, reply, async (trx) => ({
        status: 201 as const,
        body: await keep(trx, request, upload, mediaType),
      }));
      return reply.code(status).send(body);
    },
  );
};

/**
 * What a browser may do with a file: show it. PDFs are not sandboxed, because browsers show a blank page or an error
 * instead of a sandboxed PDF (https://github.com/whatwg/html/issues/3958); their viewers isolate them anyway.
 */
const securityPolicy = (mediaType: string): string =>
  mediaType === 'application/pdf' ? "default-src 'none'" : "default-src 'none'; sandbox";

/** RFC 6266: a plain name for old readers beside the real one. */
function inline(fileName: string): string {
  const encoded = encodeURIComponent(fileName).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `inline; filename="${fileName.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')}"; filename*=UTF-8''${encoded}`;
}

const file = z.string().meta({ contentMediaType: 'application/octet-stream' });

/** Outside `/v1`: whoever has the address may look. */
export const publicEvidenceRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;

  app.get(
    '/evidence/:token',
    {
      config: { access: 'public' },
      schema: {
        tags: ['Registration'],
        summary: 'Open a piece of evidence',
        params: z.object({ token: z.string() }),
        response: {
          200: {
            description: 'The file',
            content: {
              'image/png': { schema: file },
              'image/jpeg': { schema: file },
              'application/pdf': { schema: file },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { token } = request.params;
      const found = /^[\w-]{43}$/.test(token) ? await evidenceByToken(database.system, token) : undefined;
      if (!found) throw notFound('piece of evidence');
      return reply
        .header('content-type', found.media_type)
        .header('x-content-type-options', 'nosniff')
        .header('content-security-policy', securityPolicy(found.media_type))
        .header('content-disposition', inline(found.file_name))
        .header('cache-control', 'private, max-age=31536000, immutable')
        .send(found.content as never);
    },
  );
};
