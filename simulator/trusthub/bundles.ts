/** `/v1/CustomerProfiles` and `/v1/TrustProducts` of trusthub.twilio.com. */
import { invalidParameter, notFound, TwilioError } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { iso8601, newSid } from '../http/wire.ts';
import type { World } from '../world.ts';
import {
  bundleUrl,
  CUSTOMER_PROFILE,
  TRUST_PRODUCT,
  type Bundle,
  type BundleStatus,
  type KindNames,
} from './bundle.ts';
import { evaluate } from './evaluation.ts';

function bundleAnswer(names: KindNames, bundle: Bundle): Record<string, unknown> {
  const url = bundleUrl(names, bundle.sid);
  return {
    sid: bundle.sid,
    account_sid: bundle.accountSid,
    policy_sid: bundle.policySid,
    friendly_name: bundle.friendlyName,
    status: bundle.status,
    valid_until: null,
    email: bundle.email,
    status_callback: bundle.statusCallback,
    date_created: iso8601(bundle.createdAt),
    date_updated: iso8601(bundle.updatedAt),
    url,
    links: {
      [`${names.linkPrefix}_entity_assignments`]: `${url}/EntityAssignments`,
      [`${names.linkPrefix}_evaluations`]: `${url}/Evaluations`,
      [`${names.linkPrefix}_channel_endpoint_assignment`]: `${url}/ChannelEndpointAssignments`,
    },
    errors: bundle.errors,
  };
}

/** What a customer may set: only submit and take back. The codes are not published; 20001 stands for all. */
function changeStatus(world: World, bundle: Bundle, status: BundleStatus): void {
  const { bundleReview } = world;
  if (status === bundle.status) return;
  if (status !== 'pending-review' && status !== 'draft') {
    throw invalidParameter(`Status can be set to pending-review or draft: ${status} is Twilio's to set`);
  }
  if (bundle.status === 'in-review') {
    throw new TwilioError(400, 20001, `The bundle ${bundle.sid} is in review and cannot be changed to ${status}`);
  }
  if (status === 'draft') {
    bundleReview.decide(bundle, 'draft', null);
    return;
  }
  const failed = evaluate(world, bundle).filter(({ passed }) => !passed);
  if (failed.length > 0) {
    const reasons = failed.map(({ failure_reason }) => failure_reason).join(' ');
    throw new TwilioError(400, 20001, `The bundle ${bundle.sid} is not compliant with its policy: ${reasons}`);
  }
  bundleReview.submit(bundle);
}

function operationsOf(names: KindNames, world: World): Operations {
  const { clock, trustHub } = world;
  const { kind, operation, policies } = names;
  const find = (call: Call): Bundle => {
    const bundle = trustHub.bundle(kind, call.account.sid, call.params['Sid']);
    if (bundle === undefined) throw notFound(call.path);
    return bundle;
  };

  return {
    [`Create${operation}`](call) {
      const { FriendlyName, Email, PolicySid, StatusCallback } = call.form as {
        FriendlyName: string;
        Email: string;
        PolicySid: string;
        StatusCallback?: string;
      };
      if (!policies.includes(PolicySid)) {
        throw invalidParameter(`PolicySid ${PolicySid} is none the simulator knows here: ${policies.join(', ')}`);
      }
      const now = clock.now();
      const bundle = trustHub.bundles.add({
        sid: newSid('BU'),
        accountSid: call.account.sid,
        kind,
        friendlyName: FriendlyName,
        email: Email,
        policySid: PolicySid,
        statusCallback: StatusCallback ?? null,
        status: 'draft',
        errors: null,
        assignments: [],
        evaluations: [],
        review: null,
        createdAt: now,
        updatedAt: now,
      });
      return created(bundleAnswer(names, bundle));
    },

    [`List${operation}`](call) {
      const { Status, FriendlyName, PolicySid } = call.query as {
        Status?: BundleStatus;
        FriendlyName?: string;
        PolicySid?: string;
      };
      const found = trustHub.bundles
        .list(call.account.sid)
        .filter(
          (bundle) =>
            bundle.kind === kind &&
            (Status === undefined || bundle.status === Status) &&
            (FriendlyName === undefined || bundle.friendlyName === FriendlyName) &&
            (PolicySid === undefined || bundle.policySid === PolicySid),
        );
      const page = slicePage(call, found);
      return ok(listAnswer(call, 'results', { ...page, items: page.items.map((item) => bundleAnswer(names, item)) }));
    },

    [`Fetch${operation}`]: (call) => ok(bundleAnswer(names, find(call))),

    [`Update${operation}`](call) {
      const bundle = find(call);
      const { Status, StatusCallback, FriendlyName, Email } = call.form as {
        Status?: BundleStatus;
        StatusCallback?: string;
        FriendlyName?: string;
        Email?: string;
      };
      if (StatusCallback !== undefined) bundle.statusCallback = StatusCallback === '' ? null : StatusCallback;
      if (Status !== undefined) changeStatus(world, bundle, Status);
      bundle.friendlyName = FriendlyName ?? bundle.friendlyName;
      bundle.email = Email ?? bundle.email;
      bundle.updatedAt = clock.now();
      return ok(bundleAnswer(names, bundle));
    },

    [`Delete${operation}`](call) {
      const bundle = find(call);
      bundle.review = null;
      trustHub.bundles.delete(bundle);
      return deleted();
    },
  };
}

/** The operations of customer profiles and trust products themselves. */
export function bundleOperations(world: World): Operations {
  return { ...operationsOf(CUSTOMER_PROFILE, world), ...operationsOf(TRUST_PRODUCT, world) };
}
