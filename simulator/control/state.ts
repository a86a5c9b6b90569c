/** `GET /control/state`: everything that was set up. */
import type { Brand } from '../brands/brand.ts';
import type { Campaign } from '../campaigns/campaign.ts';
import type { Bundle } from '../trusthub/bundle.ts';
import type { Item } from '../trusthub/items.ts';
import type { ControlAnswer, ControlCall } from './route.ts';

export function bundleState({ sid, accountSid, friendlyName, policySid, status, errors }: Bundle) {
  return { sid, accountSid, friendlyName, policySid, status, errors };
}

export function brandState(brand: Brand) {
  const { sid, accountSid, status, identityStatus, customerProfileSid, a2pProfileSid, resubmissions, errors } = brand;
  const link = brand.link === null ? null : brand.link.state;
  return {
    sid,
    accountSid,
    status,
    identityStatus,
    customerProfileSid,
    trustProductSid: a2pProfileSid,
    resubmissions,
    link,
    errors,
  };
}

export function campaignState(campaign: Campaign) {
  const { sid, accountSid, eventSid, serviceSid, brandSid, status, useCase, campaignId, errors } = campaign;
  return { sid, accountSid, eventSid, messagingServiceSid: serviceSid, brandSid, status, useCase, campaignId, errors };
}

function itemState({ sid, accountSid, friendlyName, type }: Item) {
  return { sid, accountSid, friendlyName, type };
}

export function readState({ world }: ControlCall): ControlAnswer {
  const { accounts, trustHub, brands, campaigns, addresses, events, services, phoneNumbers } = world;
  const bundles = [...trustHub.bundles.all.values()];
  return {
    status: 200,
    body: {
      accounts: [...accounts.all.values()].map(({ sid, friendlyName, status, ownerSid, authToken }) => ({
        sid,
        friendlyName,
        status,
        ownerAccountSid: ownerSid,
        authToken,
      })),
      addresses: [...addresses.all.values()].map(({ sid, accountSid, friendlyName, customerName }) => ({
        sid,
        accountSid,
        friendlyName,
        customerName,
      })),
      endUsers: [...trustHub.endUsers.all.values()].map(itemState),
      documents: [...trustHub.documents.all.values()].map(itemState),
      customerProfiles: bundles.filter(({ kind }) => kind === 'customerProfile').map(bundleState),
      trustProducts: bundles.filter(({ kind }) => kind === 'trustProduct').map(bundleState),
      brands: [...brands.all.values()].map(brandState),
      campaigns: [...campaigns.all.values()].map(campaignState),
      sinks: [...events.sinks.all.values()].map(({ sid, accountSid, description, configuration, status }) => ({
        sid,
        accountSid,
        description,
        destination: configuration.destination,
        status,
      })),
      subscriptions: [...events.subscriptions.all.values()].map(({ sid, accountSid, description, sinkSid, types }) => ({
        sid,
        accountSid,
        description,
        sinkSid,
        types: Object.keys(types),
      })),
      messagingServices: [...services.all.values()].map((service) => ({
        sid: service.sid,
        accountSid: service.accountSid,
        friendlyName: service.friendlyName,
        inboundRequestUrl: service.inboundRequestUrl,
        statusCallback: service.statusCallback,
        usAppToPersonRegistered: service.usAppToPersonRegistered,
      })),
      numbers: [...phoneNumbers.bySid.values()].map((number) => ({
        sid: number.sid,
        phoneNumber: number.phoneNumber,
        accountSid: number.accountSid,
        messagingServiceSid: number.serviceSid,
        friendlyName: number.friendlyName,
        smsUrl: number.smsUrl,
        voiceUrl: number.voiceUrl,
      })),
    },
  };
}
