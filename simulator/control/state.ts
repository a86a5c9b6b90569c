/** `GET /control/state`: everything that was set up. Registration is not modelled yet: its lists are empty. */
import type { ControlAnswer, ControlCall } from './route.ts';

export function readState({ world }: ControlCall): ControlAnswer {
  return {
    status: 200,
    body: {
      accounts: [...world.accounts.all.values()].map(({ sid, friendlyName, status, ownerSid, authToken }) => ({
        sid,
        friendlyName,
        status,
        ownerAccountSid: ownerSid,
        authToken,
      })),
      customerProfiles: [],
      trustProducts: [],
      brands: [],
      campaigns: [],
      messagingServices: [...world.services.all.values()].map((service) => ({
        sid: service.sid,
        accountSid: service.accountSid,
        friendlyName: service.friendlyName,
        inboundRequestUrl: service.inboundRequestUrl,
        statusCallback: service.statusCallback,
      })),
      numbers: [...world.phoneNumbers.bySid.values()].map(({ sid, phoneNumber, accountSid, serviceSid }) => ({
        sid,
        phoneNumber,
        accountSid,
        messagingServiceSid: serviceSid,
      })),
    },
  };
}
