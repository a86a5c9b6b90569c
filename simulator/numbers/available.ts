/** `GET …/AvailablePhoneNumbers.json`, `…/{Country}.json` and `…/{Country}/Local.json`: what can be bought. */
import { notFound } from '../http/errors.ts';
import { ok, type Call, type Operations } from '../http/operations.ts';
import { pageRequest } from '../http/paging.ts';
import type { World } from '../world.ts';
import { nationalFormat } from './phone-number.ts';
import { rateCenter, search, type Offer } from './search.ts';

const COUNTRIES: Record<string, string> = { US: 'United States', CA: 'Canada' };

function countryAnswer(call: Call, code: string): Record<string, unknown> {
  const base = `/2010-04-01/Accounts/${call.account.sid}/AvailablePhoneNumbers/${code}`;
  return {
    country_code: code,
    country: COUNTRIES[code],
    beta: false,
    subresource_uris: { local: `${base}/Local.json` },
    uri: `${base}.json`,
  };
}

/** A number on sale as Twilio writes it. */
function offerAnswer({ phoneNumber, place }: Offer): Record<string, unknown> {
  return {
    phone_number: phoneNumber,
    friendly_name: nationalFormat(phoneNumber),
    locality: place.locality,
    region: place.region,
    postal_code: place.postalCode,
    iso_country: place.country,
    lata: place.lata,
    rate_center: rateCenter(place),
    latitude: place.latitude,
    longitude: place.longitude,
    capabilities: { voice: true, sms: true, mms: true },
    address_requirements: 'none',
    beta: false,
  };
}

/** The operations of numbers on sale. */
export function availableNumberOperations(world: World): Operations {
  const countryOf = (call: Call): string => {
    const code = call.params['CountryCode'] ?? '';
    if (COUNTRIES[code] === undefined) throw notFound(call.path);
    return code;
  };

  return {
    ListAvailablePhoneNumberCountry: (call) =>
      ok({ countries: Object.keys(COUNTRIES).map((code) => countryAnswer(call, code)), uri: call.path }),

    FetchAvailablePhoneNumberCountry: (call) => ok(countryAnswer(call, countryOf(call))),

    // One page: Twilio answers no address of a second one.
    ListAvailablePhoneNumberLocal(call) {
      const offers = search(world.inventory, countryOf(call), call.query, pageRequest(call).size);
      return ok({ available_phone_numbers: offers.map(offerAnswer), uri: call.path });
    },
  };
}
