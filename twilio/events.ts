/** Types of Twilio's events about registrations; what follows the prefix says what happened. */
const compliance = 'com.twilio.messaging.compliance.';
export const brandEvents = `${compliance}brand-registration.`;
export const campaignEvents = `${compliance}campaign-registration.`;
