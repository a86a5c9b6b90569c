/**
 * What Twilio has and its published OpenAPI documents do not say. The documents stay as they were published; this is merged into them
 * as they are read.
 */
import type { OpenApiDocument, Product } from './schema.ts';

const BRAND_SID = { type: 'string', pattern: '^BN[0-9a-fA-F]{32}$' };

/**
 * Sends the identity link of a brand again. Documented at
 * https://www.twilio.com/docs/messaging/api/brand-2fa-verify, in no document and no SDK; that it answers the brand is a guess.
 */
const BRAND_2FA = {
  operationId: 'CreateBrand2fa',
  parameters: [{ name: 'Sid', in: 'path' as const, required: true, schema: BRAND_SID }],
  responses: {
    '200': {
      content: { 'application/json': { schema: { $ref: '#/components/schemas/messaging.v1.brand_registrations' } } },
    },
  },
};

/** Adds to a document, in place, what it leaves out. */
export function amend(product: Product, { paths, components }: OpenApiDocument): void {
  if (product !== 'messaging') return;
  paths['/v1/a2p/BrandRegistrations/{Sid}/2fa'] = { post: BRAND_2FA };
  // The document's own examples of pending brands have null here.
  const identityStatus = components.schemas['brand_registrations_enum_identity_status'];
  if (identityStatus !== undefined) identityStatus['nullable'] = true;
}
