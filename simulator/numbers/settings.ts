/** What can be set of a number, and how Twilio writes one. */
import { invalidParameter } from '../http/errors.ts';
import { rfc2822 } from '../http/wire.ts';
import type { Values } from '../openapi/operation.ts';
import type { NumberSettings, PhoneNumber } from './phone-number.ts';

const MAX_NAME_LENGTH = 64;

/** A number as Twilio writes it. */
export function phoneNumberAnswer(number: PhoneNumber): Record<string, unknown> {
  return {
    sid: number.sid,
    account_sid: number.accountSid,
    phone_number: number.phoneNumber,
    friendly_name: number.friendlyName,
    address_sid: number.addressSid,
    address_requirements: 'none',
    api_version: number.apiVersion,
    beta: false,
    bundle_sid: number.bundleSid,
    capabilities: { voice: true, sms: true, mms: true, fax: false },
    date_created: rfc2822(number.createdAt),
    date_updated: rfc2822(number.updatedAt),
    emergency_address_sid: number.emergencyAddressSid,
    emergency_address_status: 'unregistered',
    emergency_status: number.emergencyStatus,
    identity_sid: number.identitySid,
    origin: 'twilio',
    // Null, where Twilio sometimes writes an empty string: the document's pattern allows only the former.
    sms_application_sid: number.smsApplicationSid,
    sms_fallback_method: number.smsFallbackMethod,
    sms_fallback_url: number.smsFallbackUrl,
    sms_method: number.smsMethod,
    sms_url: number.smsUrl,
    status: 'in-use',
    status_callback: number.statusCallback,
    status_callback_method: number.statusCallbackMethod,
    trunk_sid: number.trunkSid,
    type: 'local',
    uri: `/2010-04-01/Accounts/${number.accountSid}/IncomingPhoneNumbers/${number.sid}.json`,
    voice_application_sid: number.voiceApplicationSid,
    voice_caller_id_lookup: number.voiceCallerIdLookup,
    voice_fallback_method: number.voiceFallbackMethod,
    voice_fallback_url: number.voiceFallbackUrl,
    voice_method: number.voiceMethod,
    voice_receive_mode: number.voiceReceiveMode,
    voice_url: number.voiceUrl,
  };
}

/** Form field → property: all that Twilio documents. */
const SETTINGS: Record<string, keyof NumberSettings> = {
  ApiVersion: 'apiVersion',
  FriendlyName: 'friendlyName',
  SmsApplicationSid: 'smsApplicationSid',
  SmsFallbackMethod: 'smsFallbackMethod',
  SmsFallbackUrl: 'smsFallbackUrl',
  SmsMethod: 'smsMethod',
  SmsUrl: 'smsUrl',
  StatusCallback: 'statusCallback',
  StatusCallbackMethod: 'statusCallbackMethod',
  VoiceApplicationSid: 'voiceApplicationSid',
  VoiceCallerIdLookup: 'voiceCallerIdLookup',
  VoiceFallbackMethod: 'voiceFallbackMethod',
  VoiceFallbackUrl: 'voiceFallbackUrl',
  VoiceMethod: 'voiceMethod',
  VoiceUrl: 'voiceUrl',
  VoiceReceiveMode: 'voiceReceiveMode',
  TrunkSid: 'trunkSid',
  EmergencyStatus: 'emergencyStatus',
  EmergencyAddressSid: 'emergencyAddressSid',
  IdentitySid: 'identitySid',
  AddressSid: 'addressSid',
  BundleSid: 'bundleSid',
};

/**
 * What a form sets of a number.
 *
 * @throws {TwilioError} 20001 for a name too long or a method that is neither GET nor POST
 */
export function settingsIn(form: Values): Partial<NumberSettings> {
  const { FriendlyName = '', TrunkSid, VoiceApplicationSid } = form as Record<string, string | undefined>;
  if (FriendlyName.length > MAX_NAME_LENGTH) {
    throw invalidParameter(`FriendlyName should be at most ${MAX_NAME_LENGTH} characters`);
  }
  const given = Object.entries(SETTINGS).filter(([field]) => form[field] !== undefined);
  for (const [field] of given) {
    if (field.endsWith('Method') && form[field] !== 'GET' && form[field] !== 'POST') {
      throw invalidParameter(`${field} should be GET or POST`);
    }
  }
  return {
    // A trunk and an application exclude each other: one that is set takes the place of the other.
    ...(TrunkSid ? { voiceApplicationSid: null } : {}),
    ...(VoiceApplicationSid ? { trunkSid: null } : {}),
    // An empty SID takes away what was set.
    ...Object.fromEntries(
      given.map(([field, property]) => [property, field.endsWith('Sid') ? form[field] || null : form[field]]),
    ),
  };
}
