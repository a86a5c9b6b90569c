/** How a phone number has to be set at Twilio for Longwave to work with it. */

/** @param publicUrl where Twilio reaches the API */
export const numberSettings = (publicUrl: string) => ({
  // Before it is in a messaging service, whose address counts from then on: a STOP must not be lost meanwhile.
  smsUrl: `${publicUrl}/twilio/inbound#rc=3&rp=ct,rt,5xx`,
  smsMethod: 'POST' as const,
  voiceUrl: `${publicUrl}/twilio/voice`,
  voiceMethod: 'POST' as const,
});

/**
 * The same for a number that somebody had before: its applications or its trunk would be asked in place of our addresses.
 *
 * @param publicUrl where Twilio reaches the API
 */
export const adoptedNumberSettings = (publicUrl: string) => ({
  ...numberSettings(publicUrl),
  smsApplicationSid: '',
  voiceApplicationSid: '',
  trunkSid: '',
});
