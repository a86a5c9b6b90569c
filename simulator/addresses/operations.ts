/** `/2010-04-01/Accounts/{AccountSid}/Addresses[/{Sid}].json`. */
import { invalidParameter, notFound } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer2010, slicePage } from '../http/paging.ts';
import { newSid, rfc2822 } from '../http/wire.ts';
import type { World } from '../world.ts';

export interface Address {
  sid: string;
  accountSid: string;
  customerName: string;
  friendlyName: string | null;
  street: string;
  streetSecondary: string | null;
  city: string;
  region: string;
  postalCode: string;
  /** ISO 3166-1 alpha-2. */
  isoCountry: string;
  emergencyEnabled: boolean;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** An address as Twilio writes it. It is never `validated`: the twin has no postal directory to correct it by. */
function addressAnswer(address: Address): Record<string, unknown> {
  return {
    sid: address.sid,
    account_sid: address.accountSid,
    customer_name: address.customerName,
    friendly_name: address.friendlyName,
    street: address.street,
    street_secondary: address.streetSecondary,
    city: address.city,
    region: address.region,
    postal_code: address.postalCode,
    iso_country: address.isoCountry,
    emergency_enabled: address.emergencyEnabled,
    validated: false,
    verified: false,
    date_created: rfc2822(address.createdAt),
    date_updated: rfc2822(address.updatedAt),
    uri: `/2010-04-01/Accounts/${address.accountSid}/Addresses/${address.sid}.json`,
  };
}

/** Form field → property. */
const SETTINGS = {
  CustomerName: 'customerName',
  FriendlyName: 'friendlyName',
  Street: 'street',
  StreetSecondary: 'streetSecondary',
  City: 'city',
  Region: 'region',
  PostalCode: 'postalCode',
  IsoCountry: 'isoCountry',
  EmergencyEnabled: 'emergencyEnabled',
} as const;

function applySettings(address: Address, form: Call['form']): void {
  const { IsoCountry } = form as { IsoCountry?: string };
  if (IsoCountry !== undefined && !/^[A-Z]{2}$/.test(IsoCountry)) {
    throw invalidParameter(`IsoCountry should be an ISO 3166-1 alpha-2 code such as US, and is ${IsoCountry}`);
  }
  for (const [field, property] of Object.entries(SETTINGS)) {
    if (form[field] !== undefined) Object.assign(address, { [property]: form[field] });
  }
}

/** The operations of addresses. */
export function addressOperations({ addresses, clock }: World): Operations {
  const find = (call: Call): Address => {
    const address = addresses.get(call.account.sid, call.params['Sid']);
    if (address === undefined) throw notFound(call.path);
    return address;
  };

  return {
    CreateAddress(call) {
      const now = clock.now();
      const address: Address = {
        sid: newSid('AD'),
        accountSid: call.account.sid,
        customerName: '',
        friendlyName: null,
        street: '',
        streetSecondary: null,
        city: '',
        region: '',
        postalCode: '',
        isoCountry: '',
        emergencyEnabled: false,
        createdAt: now,
        updatedAt: now,
      };
      applySettings(address, call.form);
      return created(addressAnswer(addresses.add(address)));
    },

    ListAddress(call) {
      const { CustomerName, FriendlyName, IsoCountry, EmergencyEnabled } = call.query as {
        CustomerName?: string;
        FriendlyName?: string;
        IsoCountry?: string;
        EmergencyEnabled?: boolean;
      };
      const found = addresses
        .list(call.account.sid)
        .filter(
          (address) =>
            (CustomerName === undefined || address.customerName === CustomerName) &&
            (FriendlyName === undefined || address.friendlyName === FriendlyName) &&
            (IsoCountry === undefined || address.isoCountry === IsoCountry) &&
            (EmergencyEnabled === undefined || address.emergencyEnabled === EmergencyEnabled),
        );
      const page = slicePage(call, found);
      return ok(listAnswer2010(call, 'addresses', { ...page, items: page.items.map(addressAnswer) }));
    },

    FetchAddress: (call) => ok(addressAnswer(find(call))),

    UpdateAddress(call) {
      const address = find(call);
      applySettings(address, call.form);
      address.updatedAt = clock.now();
      return ok(addressAnswer(address));
    },

    DeleteAddress(call) {
      addresses.delete(find(call));
      return deleted();
    },
  };
}
