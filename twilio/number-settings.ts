/** How a phone number has to be set at Twilio for Longwave to work with it. */

/** @param publicUrl where Twilio reaches the API */
export const numberSettings = (publicUrl: string) => ({
  // Before it is in a messaging service, whose address counts from then on: a STOP must not be lost meanwhile.
  smsUrl: `${publicUrl}/twilio/inbound#rc=3&rp=ct,rt,5xx`,
  smsMethod: 'POST' as const,
  voiceUrl: `${publicUrl}/twilio/voice`,
  voiceMethod: 'POST' as const,
});

/** What Twilio asks in place of a number's addresses, where it is set. */
interface Receivers {
  smsApplicationSid: string;
  voiceApplicationSid: string;
  trunkSid: string;
}

/**
 * The same for a number that somebody had before, without the applications or the trunk that it has.
 *
 * @param publicUrl where Twilio reaches the API
 */
export function adoptedNumberSettings(publicUrl: string, current: Partial<Receivers>) {
  const names = ['smsApplicationSid', 'voiceApplicationSid', 'trunkSid'] as const;
  const none: Partial<Receivers> = Object.fromEntries(names.filter((name) => current[name]).map((name) => [name, '']));
  return { ...numberSettings(publicUrl), ...none };
}
