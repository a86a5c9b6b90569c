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

const SEARCH = '/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Local.json';

/** The document's own examples of a search carry the list and `uri` only: there is one page, and the SDK asks for no other. */
function amendSearch(paths: OpenApiDocument['paths']): void {
  const schema = paths[SEARCH]?.['get']?.responses['200']?.content?.['application/json']?.schema;
  for (const name of Object.keys(schema?.properties ?? {})) {
    if (name !== 'available_phone_numbers' && name !== 'uri') delete schema?.properties?.[name];
  }
}

const NUMBER = '/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json';

/** An application and a trunk are taken off a number by an empty SID, as an address is by an empty one. */
function amendNumber(paths: OpenApiDocument['paths']): void {
  const schema = paths[NUMBER]?.['post']?.requestBody?.content['application/x-www-form-urlencoded']?.schema;
  for (const name of ['SmsApplicationSid', 'TrunkSid', 'VoiceApplicationSid']) {
    const field = schema?.properties?.[name];
    if (field) Object.assign(field, { minLength: 0, pattern: `${String(field['pattern'])}|^$` });
  }
}

/** Adds to a document, in place, what it leaves out, and takes from it what its examples do not have. */
export function amend(product: Product, { paths, components }: OpenApiDocument): void {
  if (product === 'api') {
    amendSearch(paths);
    amendNumber(paths);
  }
  if (product !== 'messaging') return;
  paths['/v1/a2p/BrandRegistrations/{Sid}/2fa'] = { post: BRAND_2FA };
  // The document's own examples of pending brands have null here.
  const identityStatus = components.schemas['brand_registrations_enum_identity_status'];
  if (identityStatus !== undefined) identityStatus['nullable'] = true;
}
