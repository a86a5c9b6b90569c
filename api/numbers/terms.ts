/** Buying a number is a subscription: nobody buys one without having agreed to its terms (B2). */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { inTransaction } from '../shared/idempotency.ts';
import { refused } from '../shared/problems.ts';

export const acceptTerms = z
  .boolean()
  .default(false)
  .meta({ description: 'Agrees to the subscription terms of phone numbers; without `true` nothing is bought' });

/** @throws {Problem} 422, recorded, unless the terms were agreed to */
export async function requireTerms(request: FastifyRequest, accepted: boolean): Promise<void> {
  if (accepted) return;
  const organizationId = organizationOf(request);
  await inTransaction(request, (trx) => audit(trx, request, 'number.terms_not_accepted', organizationId));
  throw refused(
    'terms_not_accepted',
    'A phone number is a subscription: agree to its terms with "acceptTerms": true, then send this again. The refusal was recorded.',
  );
}
