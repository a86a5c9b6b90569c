/** How a messaging service has to be set for Longwave to work with it. */

/** @param publicUrl where Twilio reaches the API */
export const messagingServiceSettings = (publicUrl: string) => ({
  // Twilio tries again also after a 5xx; by default a STOP would be lost.
  inboundRequestUrl: `${publicUrl}/twilio/inbound#rc=3&rp=ct,rt,5xx`,
  inboundMethod: 'POST' as const,
  useInboundWebhookOnNumber: false,
  // Twilio must keep the text as we have it: a message in doubt is recognized by it.
  smartEncoding: false,
});
