/** The event types of A2P registration, and the schemas of their data. */

export const COMPLIANCE = 'com.twilio.messaging.compliance.';

/**
 * Type without its prefix → name of its schema.
 *
 * @see https://www.twilio.com/docs/events/event-types/a2p/brand-registration and its siblings
 */
const SCHEMAS: Record<string, string> = {
  'brand-registration.brand-registered': 'A2P.BrandRegistered',
  'brand-registration.brand-failure': 'A2P.BrandRegistrationFailure',
  'brand-registration.brand-verified': 'A2P.BrandRegisteredVerified',
  'brand-registration.brand-unverified': 'A2P.BrandRegisteredUnverified',
  'brand-registration.brand-vetted-verified': 'A2P.BrandRegisteredVettedVerified',
  'brand-registration.brand-secondary-vetting-failure': 'A2P.BrandRegistrationSecondaryVettingFailure',
  'brand-registration.invalid-contact-email': 'A2P.BrandRegistrationInvalidContactEmail',
  'brand-registration.sharing-created': 'A2P.BrandRegistrationSharingCreated',
  'brand-registration.sharing-deleted': 'A2P.BrandRegistrationSharingDeleted',
  'brand-registration.email-2fa-sent': 'A2P.BrandRegistrationEmail2FASent',
  'brand-registration.email-2fa-opened': 'A2P.BrandRegistrationEmail2FAOpened',
  'brand-registration.email-2fa-clicked': 'A2P.BrandRegistrationEmail2FAClicked',
  'brand-registration.email-2fa-completed': 'A2P.BrandRegistrationEmail2FACompleted',
  'brand-registration.email-2fa-timeout': 'A2P.BrandRegistrationEmail2FATimeout',
  'campaign-registration.campaign-submitted': 'A2P.CampaignRegistrationSubmitted',
  'campaign-registration.campaign-approved': 'A2P.CampaignRegistrationApproved',
  'campaign-registration.campaign-failure': 'A2P.CampaignRegistrationFailure',
  'campaign-registration.campaign-deleted': 'A2P.CampaignRegistrationDeleted',
  'number-registration.pending': 'A2P.NumberRegistrationPending',
  'number-registration.successful': 'A2P.NumberRegistrationSuccessful',
  'number-registration.failed': 'A2P.NumberRegistrationFailed',
  'number-deregistration.pending': 'A2P.NumberDeregistrationPending',
  'number-deregistration.successful': 'A2P.NumberDeregistrationSuccessful',
  'number-deregistration.failed': 'A2P.NumberDeregistrationFailed',
};

/** Address of the schema of an event's data, in the version a subscription asks for. */
export function dataSchema(type: string, version: number): string {
  const name = SCHEMAS[type.slice(COMPLIANCE.length)] ?? type;
  return `https://events-schemas.twilio.com/${name}/${version}`;
}

/** Whether a type of A2P registration is one we know: an unknown one may be new, or a typo. */
export function isUnknownCompliance(type: string): boolean {
  return type.startsWith(COMPLIANCE) && SCHEMAS[type.slice(COMPLIANCE.length)] === undefined;
}
