/** `/v1/Services` and `/v1/Services/{Sid}/PhoneNumbers` of messaging.twilio.com. */
import { invalidParameter, notFound, TwilioError } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { iso8601, newSid } from '../http/wire.ts';
import type { PhoneNumber } from '../numbers/phone-number.ts';
import type { World } from '../world.ts';
import type { MessagingService } from './service.ts';

const HOST = 'https://messaging.twilio.com';
const MAX_NAME_LENGTH = 64;
/** Seconds; Twilio's limits of a validity period. */
const MAX_VALIDITY_PERIOD = 36_000;

const LINKS = {
  phone_numbers: 'PhoneNumbers',
  us_app_to_person: 'Compliance/Usa2p',
  us_app_to_person_usecases: 'Compliance/Usa2p/Usecases',
};

/** A service as Twilio writes it. */
function serviceAnswer(service: MessagingService): Record<string, unknown> {
  const url = `${HOST}/v1/Services/${service.sid}`;
  return {
    sid: service.sid,
    account_sid: service.accountSid,
    friendly_name: service.friendlyName,
    date_created: iso8601(service.createdAt),
    date_updated: iso8601(service.updatedAt),
    inbound_request_url: service.inboundRequestUrl,
    inbound_method: service.inboundMethod,
    fallback_url: service.fallbackUrl,
    fallback_method: service.fallbackMethod,
    status_callback: service.statusCallback,
    sticky_sender: service.stickySender,
    mms_converter: service.mmsConverter,
    smart_encoding: service.smartEncoding,
    scan_message_content: service.scanMessageContent,
    fallback_to_long_code: service.fallbackToLongCode,
    area_code_geomatch: service.areaCodeGeomatch,
    synchronous_validation: service.synchronousValidation,
    validity_period: service.validityPeriod,
    usecase: service.usecase,
    us_app_to_person_registered: service.usAppToPersonRegistered,
    use_inbound_webhook_on_number: service.useInboundWebhookOnNumber,
    url,
    links: Object.fromEntries(Object.entries(LINKS).map(([key, path]) => [key, `${url}/${path}`])),
  };
}

function senderAnswer(number: PhoneNumber): Record<string, unknown> {
  return {
    sid: number.sid,
    account_sid: number.accountSid,
    service_sid: number.serviceSid,
    date_created: iso8601(number.joinedServiceAt),
    date_updated: iso8601(number.joinedServiceAt),
    phone_number: number.phoneNumber,
    country_code: 'US',
    capabilities: ['MMS', 'SMS', 'Voice'],
    url: `${HOST}/v1/Services/${number.serviceSid}/PhoneNumbers/${number.sid}`,
  };
}

/** Form field → property. An empty URL clears it. */
const SETTINGS = {
  FriendlyName: 'friendlyName',
  InboundRequestUrl: 'inboundRequestUrl',
  InboundMethod: 'inboundMethod',
  FallbackUrl: 'fallbackUrl',
  FallbackMethod: 'fallbackMethod',
  StatusCallback: 'statusCallback',
  StickySender: 'stickySender',
  MmsConverter: 'mmsConverter',
  SmartEncoding: 'smartEncoding',
  ScanMessageContent: 'scanMessageContent',
  FallbackToLongCode: 'fallbackToLongCode',
  AreaCodeGeomatch: 'areaCodeGeomatch',
  ValidityPeriod: 'validityPeriod',
  SynchronousValidation: 'synchronousValidation',
  Usecase: 'usecase',
  UseInboundWebhookOnNumber: 'useInboundWebhookOnNumber',
} as const;

function applySettings(service: MessagingService, form: Call['form']): void {
  const { FriendlyName, ValidityPeriod } = form as { FriendlyName?: string; ValidityPeriod?: number };
  if (FriendlyName !== undefined && (FriendlyName === '' || FriendlyName.length > MAX_NAME_LENGTH)) {
    throw invalidParameter(`FriendlyName should be 1 to ${MAX_NAME_LENGTH} characters`);
  }
  if (ValidityPeriod !== undefined && (ValidityPeriod < 1 || ValidityPeriod > MAX_VALIDITY_PERIOD)) {
    throw invalidParameter(`ValidityPeriod should be 1 to ${MAX_VALIDITY_PERIOD} seconds`);
  }
  for (const [field, property] of Object.entries(SETTINGS)) {
    const value = form[field];
    if (value !== undefined) Object.assign(service, { [property]: value === '' ? null : value });
  }
}

/** The operations of messaging services and their sender pools. */
export function messagingServiceOperations(world: World): Operations {
  const { campaignReviews, clock, phoneNumbers, services } = world;

  const find = (call: Call, sid: string | undefined): MessagingService => {
    const service = services.owned(call.account.sid, sid ?? '');
    if (service === undefined) throw notFound(call.path);
    return service;
  };
  const findSender = (call: Call): PhoneNumber => {
    const service = find(call, call.params['ServiceSid']);
    const number = service.pool.find(({ sid }) => sid === call.params['Sid']);
    if (number === undefined) throw notFound(call.path);
    return number;
  };

  return {
    CreateService(call) {
      const now = clock.now();
      const service: MessagingService = {
        sid: newSid('MG'),
        accountSid: call.account.sid,
        friendlyName: '',
        inboundRequestUrl: null,
        inboundMethod: 'POST',
        fallbackUrl: null,
        fallbackMethod: 'POST',
        statusCallback: null,
        stickySender: true,
        mmsConverter: true,
        smartEncoding: true,
        scanMessageContent: 'inherit',
        fallbackToLongCode: true,
        areaCodeGeomatch: true,
        synchronousValidation: false,
        useInboundWebhookOnNumber: false,
        validityPeriod: MAX_VALIDITY_PERIOD,
        usecase: 'undeclared',
        usAppToPersonRegistered: false,
        pool: [],
        createdAt: now,
        updatedAt: now,
      };
      applySettings(service, call.form);
      services.all.set(service.sid, service);
      return created(serviceAnswer(service));
    },

    ListService(call) {
      const owned = [...services.all.values()].filter((service) => service.accountSid === call.account.sid);
      const page = slicePage(call, owned);
      return ok(listAnswer(call, 'services', { ...page, items: page.items.map(serviceAnswer) }));
    },

    FetchService: (call) => ok(serviceAnswer(find(call, call.params['Sid']))),

    UpdateService(call) {
      const service = find(call, call.params['Sid']);
      applySettings(service, call.form);
      service.updatedAt = clock.now();
      return ok(serviceAnswer(service));
    },

    DeleteService(call) {
      const service = find(call, call.params['Sid']);
      const campaign = campaignReviews.of(service);
      if (campaign !== undefined) campaignReviews.delete(campaign);
      services.delete(service);
      return deleted();
    },

    CreatePhoneNumber(call) {
      const service = find(call, call.params['ServiceSid']);
      const { PhoneNumberSid } = call.form as { PhoneNumberSid?: string };
      const number = phoneNumbers.bySid.get(PhoneNumberSid ?? '');
      if (number === undefined || number.accountSid !== call.account.sid) {
        throw notFound(`${call.path}/${PhoneNumberSid}`);
      }
      if (number.serviceSid === service.sid) {
        throw new TwilioError(409, 21710, 'Phone Number is already in the Messaging Service.');
      }
      if (number.serviceSid !== null) {
        throw new TwilioError(409, 21712, 'Phone Number is associated with another Messaging Service.');
      }
      if (service.pool.length >= world.behaviour.poolLimit) {
        throw new TwilioError(412, 21714, 'Messaging Service contains maximum number of Phone Numbers.');
      }
      services.join(service, number, clock.now());
      campaignReviews.joined(service, number);
      return created(senderAnswer(number));
    },

    ListPhoneNumber(call) {
      const page = slicePage(call, find(call, call.params['ServiceSid']).pool);
      return ok(listAnswer(call, 'phone_numbers', { ...page, items: page.items.map(senderAnswer) }));
    },

    FetchPhoneNumber: (call) => ok(senderAnswer(findSender(call))),

    DeletePhoneNumber(call) {
      services.leave(findSender(call));
      return deleted();
    },
  };
}
