/** `/v1/EndUsers` and `/v1/SupportingDocuments` of trusthub.twilio.com: named objects of a type with attributes. */
import { invalidParameter, notFound } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { iso8601, newSid } from '../http/wire.ts';
import type { Owned } from '../owned.ts';
import type { World } from '../world.ts';

/** An end user or a supporting document. */
export interface Item {
  sid: string;
  accountSid: string;
  friendlyName: string;
  /** Machine name, such as `authorized_representative_1`. */
  type: string;
  attributes: Record<string, unknown>;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

interface Kind {
  /** As operations name it. */
  name: string;
  path: string;
  prefix: string;
  /** Types the twin knows. Twilio has more; another one is a typo until somebody needs it. */
  types: readonly string[];
  /** What an answer has besides. */
  more: Record<string, unknown>;
}

const END_USER: Kind = {
  name: 'EndUser',
  path: 'EndUsers',
  prefix: 'IT',
  types: [
    'customer_profile_business_information',
    'authorized_representative_1',
    'authorized_representative_2',
    'us_a2p_messaging_profile_information',
  ],
  more: {},
};
const DOCUMENT: Kind = {
  name: 'SupportingDocument',
  path: 'SupportingDocuments',
  prefix: 'RD',
  types: ['customer_profile_address'],
  more: { mime_type: null, status: 'DRAFT' },
};

function itemAnswer(kind: Kind, item: Item): Record<string, unknown> {
  return {
    sid: item.sid,
    account_sid: item.accountSid,
    friendly_name: item.friendlyName,
    type: item.type,
    attributes: item.attributes,
    ...kind.more,
    date_created: iso8601(item.createdAt),
    date_updated: iso8601(item.updatedAt),
    url: `https://trusthub.twilio.com/v1/${kind.path}/${item.sid}`,
  };
}

function attributesOf(form: Call['form']): Record<string, unknown> | undefined {
  const { Attributes } = form as { Attributes?: unknown };
  if (Attributes === undefined) return undefined;
  if (typeof Attributes !== 'object' || Attributes === null || Array.isArray(Attributes)) {
    throw invalidParameter('Attributes should be a JSON object');
  }
  return Attributes as Record<string, unknown>;
}

function operationsOf(kind: Kind, items: Owned<Item>, { clock }: World): Operations {
  const find = (call: Call): Item => {
    const item = items.get(call.account.sid, call.params['Sid']);
    if (item === undefined) throw notFound(call.path);
    return item;
  };

  return {
    [`Create${kind.name}`](call) {
      const { FriendlyName = '', Type = '' } = call.form as { FriendlyName?: string; Type?: string };
      if (!kind.types.includes(Type)) {
        throw invalidParameter(`Type ${Type} is none the simulator knows: ${kind.types.join(', ')}`);
      }
      const now = clock.now();
      const item = items.add({
        sid: newSid(kind.prefix),
        accountSid: call.account.sid,
        friendlyName: FriendlyName,
        type: Type,
        attributes: attributesOf(call.form) ?? {},
        createdAt: now,
        updatedAt: now,
      });
      return created(itemAnswer(kind, item));
    },

    [`List${kind.name}`](call) {
      const page = slicePage(call, items.list(call.account.sid));
      return ok(listAnswer(call, 'results', { ...page, items: page.items.map((item) => itemAnswer(kind, item)) }));
    },

    [`Fetch${kind.name}`]: (call) => ok(itemAnswer(kind, find(call))),

    [`Update${kind.name}`](call) {
      const item = find(call);
      const { FriendlyName } = call.form as { FriendlyName?: string };
      item.friendlyName = FriendlyName ?? item.friendlyName;
      // As a whole: what is left out is gone.
      item.attributes = attributesOf(call.form) ?? item.attributes;
      item.updatedAt = clock.now();
      return ok(itemAnswer(kind, item));
    },

    [`Delete${kind.name}`](call) {
      items.delete(find(call));
      return deleted();
    },
  };
}

/** The operations of end users and supporting documents. */
export function itemOperations(world: World): Operations {
  return {
    ...operationsOf(END_USER, world.trustHub.endUsers, world),
    ...operationsOf(DOCUMENT, world.trustHub.documents, world),
  };
}
