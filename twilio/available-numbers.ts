/** Numbers on sale: what Twilio finds, of those that can text and call without an address of one's own. */
import type { Twilio } from 'twilio';
import type { NumberQuery } from '../domain/numbers/search.ts';

export interface AvailableNumber {
  phoneNumber: string;
  areaCode: string;
  locality: string | null;
  /** State or province. */
  region: string | null;
  postalCode: string | null;
}

/** Twilio does not reserve what it finds. @throws when Twilio refuses or cannot be asked */
export async function searchNumbers(
  client: Twilio,
  { country, areaCode, region, postalCode, contains }: NumberQuery,
  limit: number,
): Promise<AvailableNumber[]> {
  const found = await client.availablePhoneNumbers(country).local.list({
    smsEnabled: true,
    voiceEnabled: true,
    excludeAllAddressRequired: true,
    ...(areaCode !== undefined && { areaCode: Number(areaCode) }),
    ...(region !== undefined && { inRegion: region }),
    ...(postalCode !== undefined && { inPostalCode: postalCode }),
    ...(contains !== undefined && { contains }),
    limit,
  });
  return found.map((number) => ({
    phoneNumber: number.phoneNumber,
    areaCode: number.phoneNumber.slice(2, 5),
    locality: number.locality || null,
    region: number.region || null,
    postalCode: number.postalCode || null,
  }));
}
