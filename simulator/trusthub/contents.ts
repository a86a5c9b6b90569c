/** `…/EntityAssignments` and `…/Evaluations` of customer profiles and trust products. */
import { invalidParameter, notFound, TwilioError } from '../http/errors.ts';
import { created, deleted, ok, type Call, type Operations } from '../http/operations.ts';
import { listAnswer, slicePage } from '../http/paging.ts';
import { iso8601, newSid } from '../http/wire.ts';
import type { World } from '../world.ts';
import {
  bundleUrl,
  CUSTOMER_PROFILE,
  TRUST_PRODUCT,
  type Assignment,
  type Bundle,
  type Evaluation,
  type KindNames,
} from './bundle.ts';
import { evaluate, isCompliant } from './evaluation.ts';

function operationsOf(names: KindNames, world: World): Operations {
  const { clock, trustHub } = world;
  const { operation } = names;

  const find = (call: Call): Bundle => {
    const bundle = trustHub.bundle(names.kind, call.account.sid, call.params[`${operation}Sid`]);
    if (bundle === undefined) throw notFound(call.path);
    return bundle;
  };
  const findAssignment = (call: Call): Assignment => {
    const found = find(call).assignments.find(({ sid }) => sid === call.params['Sid']);
    if (found === undefined) throw notFound(call.path);
    return found;
  };

  const assignmentAnswer = (bundle: Bundle, { sid, objectSid, createdAt }: Assignment) => ({
    sid,
    [names.sidField]: bundle.sid,
    account_sid: bundle.accountSid,
    object_sid: objectSid,
    date_created: iso8601(createdAt),
    url: `${bundleUrl(names, bundle.sid)}/EntityAssignments/${sid}`,
  });
  const evaluationAnswer = (bundle: Bundle, { sid, policySid, status, results, createdAt }: Evaluation) => ({
    sid,
    account_sid: bundle.accountSid,
    policy_sid: policySid,
    [names.sidField]: bundle.sid,
    status,
    results,
    date_created: iso8601(createdAt),
    url: `${bundleUrl(names, bundle.sid)}/Evaluations/${sid}`,
  });

  /** Machine name of what is assigned, by which lists are filtered. */
  const objectType = (sid: string): string | undefined =>
    (trustHub.endUsers.all.get(sid) ?? trustHub.documents.all.get(sid))?.type;

  return {
    [`Create${operation}EntityAssignment`](call) {
      const bundle = find(call);
      const { ObjectSid } = call.form as { ObjectSid: string };
      const { sid: account } = call.account;
      const object =
        trustHub.endUsers.get(account, ObjectSid) ??
        trustHub.documents.get(account, ObjectSid) ??
        trustHub.assignable(call.account, ObjectSid);
      if (object === undefined || object === bundle) throw notFound(`ObjectSid ${ObjectSid}`);
      if (bundle.assignments.some(({ objectSid }) => objectSid === ObjectSid)) {
        // Twilio's code is not published; 20409 follows its pattern of 20404 and 20429.
        throw new TwilioError(409, 20409, `${ObjectSid} is already assigned to ${bundle.sid}`);
      }
      const assignment = { sid: newSid('BV'), objectSid: ObjectSid, createdAt: clock.now() };
      bundle.assignments.push(assignment);
      return created(assignmentAnswer(bundle, assignment));
    },

    [`List${operation}EntityAssignment`](call) {
      const bundle = find(call);
      const { ObjectType } = call.query as { ObjectType?: string };
      const found = bundle.assignments.filter(
        ({ objectSid }) => ObjectType === undefined || objectType(objectSid) === ObjectType,
      );
      const page = slicePage(call, found);
      const items = page.items.map((assignment) => assignmentAnswer(bundle, assignment));
      return ok(listAnswer(call, 'results', { ...page, items }));
    },

    [`Fetch${operation}EntityAssignment`]: (call) => ok(assignmentAnswer(find(call), findAssignment(call))),

    [`Delete${operation}EntityAssignment`](call) {
      const bundle = find(call);
      const assignment = findAssignment(call);
      bundle.assignments = bundle.assignments.filter((other) => other !== assignment);
      return deleted();
    },

    [`Create${operation}Evaluation`](call) {
      const bundle = find(call);
      const { PolicySid } = call.form as { PolicySid: string };
      if (PolicySid !== bundle.policySid) {
        throw invalidParameter(
          `PolicySid ${PolicySid} is not the policy of ${bundle.sid}, which is ${bundle.policySid}`,
        );
      }
      const results = evaluate(world, bundle);
      const evaluation: Evaluation = {
        sid: newSid('EL'),
        policySid: PolicySid,
        status: isCompliant(results) ? 'compliant' : 'noncompliant',
        results,
        createdAt: clock.now(),
      };
      bundle.evaluations.push(evaluation);
      return created(evaluationAnswer(bundle, evaluation));
    },

    [`List${operation}Evaluation`](call) {
      const bundle = find(call);
      const page = slicePage(call, bundle.evaluations);
      const items = page.items.map((evaluation) => evaluationAnswer(bundle, evaluation));
      return ok(listAnswer(call, 'results', { ...page, items }));
    },

    [`Fetch${operation}Evaluation`](call) {
      const bundle = find(call);
      const evaluation = bundle.evaluations.find(({ sid }) => sid === call.params['Sid']);
      if (evaluation === undefined) throw notFound(call.path);
      return ok(evaluationAnswer(bundle, evaluation));
    },
  };
}

/** The operations of what belongs to a customer profile or a trust product. */
export function bundleContentOperations(world: World): Operations {
  return { ...operationsOf(CUSTOMER_PROFILE, world), ...operationsOf(TRUST_PRODUCT, world) };
}
