/** Judges a bundle by its policy, as `…/Evaluations` answers it. */
import type { Owned } from '../owned.ts';
import type { Address } from '../addresses/operations.ts';
import { POLICIES, type Bundle } from './bundle.ts';
import { AUTHORIZED_REPRESENTATIVE, BUSINESS_INFORMATION, MESSAGING_PROFILE, type Field } from './requirements.ts';
import { isApprovedPrimary, type TrustHub } from './trust-hub.ts';

/** Twilio's codes of what is wrong with a bundle. */
const MISSING_END_USER = 22214;
const MISSING_FIELD = 22215;
const MISSING_DOCUMENT = 22216;
const FAULTY_DOCUMENT = 22217;
const WRONG_VALUE = 22218;
const MISSING_ADDRESS = 22219;

interface FieldResult {
  friendly_name: string;
  object_field: string;
  passed: boolean;
  failure_reason: string | null;
  error_code: number | null;
}

/** One requirement of the policy, in Twilio's own words. */
export interface EvaluationResult {
  friendly_name: string;
  object_type: string;
  passed: boolean;
  failure_reason: string | null;
  error_code: number | null;
  valid: FieldResult[];
  invalid: FieldResult[];
  requirement_friendly_name: string;
  requirement_name: string;
}

interface Context {
  trustHub: TrustHub;
  addresses: Owned<Address>;
}

interface Requirement {
  type: string;
  label: string;
}

type Fault = { code: number; reason: string } | undefined;

/** @param missing set when the object itself is */
function result({ type, label }: Requirement, missing: Fault, fields: [Field, Fault][]): EvaluationResult {
  const checked = fields.map(([{ name, label: friendly }, fault]): FieldResult => ({
    friendly_name: friendly,
    object_field: name,
    passed: fault === undefined,
    failure_reason: fault?.reason ?? null,
    error_code: fault?.code ?? null,
  }));
  const invalid = checked.filter(({ passed }) => !passed);
  const [first] = invalid;
  return {
    friendly_name: label,
    object_type: type,
    passed: missing === undefined && first === undefined,
    failure_reason: missing?.reason ?? first?.failure_reason ?? null,
    error_code: missing?.code ?? first?.error_code ?? null,
    valid: checked.filter(({ passed }) => passed),
    invalid,
    requirement_friendly_name: label,
    requirement_name: type,
  };
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function fieldFault({ name, label, values, several }: Field, attributes: Record<string, unknown>): Fault {
  const value = attributes[name];
  if (value === undefined || value === null || value === '') {
    return { code: MISSING_FIELD, reason: `The ${label} is missing.` };
  }
  const given = several === true ? text(value).split(',') : [text(value)];
  const wrong = values === undefined ? undefined : given.find((one) => !values.includes(one.trim()));
  return wrong === undefined ? undefined : { code: WRONG_VALUE, reason: `The ${label} is not valid: ${wrong}.` };
}

function endUser({ trustHub }: Context, bundle: Bundle, what: Requirement, fields: readonly Field[]): EvaluationResult {
  const item = trustHub.assignedItems(bundle).find(({ type }) => type === what.type);
  const attributes = item?.attributes ?? {};
  const missing =
    item === undefined
      ? { code: MISSING_END_USER, reason: `A ${what.label} End-User is missing. Please add one to the bundle.` }
      : undefined;
  const needed = fields.filter(({ when }) => when === undefined || when(attributes));
  return result(
    what,
    missing,
    needed.map((field) => [field, fieldFault(field, attributes)]),
  );
}

function addressDocument({ trustHub, addresses }: Context, bundle: Bundle): EvaluationResult {
  const what = { type: 'customer_profile_address', label: 'Customer Profile Address' };
  const document = trustHub.assignedItems(bundle).find(({ type }) => type === what.type);
  const missing =
    document === undefined
      ? { code: MISSING_DOCUMENT, reason: `A ${what.label} is missing. Please add one to the bundle.` }
      : undefined;
  const given = document?.attributes['address_sids'];
  const sids = [given ?? []].flat().flatMap((sid) => text(sid).split(','));
  const unknown = sids.find((sid) => addresses.get(bundle.accountSid, sid.trim()) === undefined);
  const field = { name: 'address_sids', label: 'Address sid(s)' };
  let fault: Fault;
  if (document !== undefined && sids.length === 0) fault = { code: FAULTY_DOCUMENT, reason: 'The Address is missing.' };
  else if (sids.length === 0) fault = { code: MISSING_ADDRESS, reason: 'The Address is missing.' };
  else if (unknown !== undefined) fault = { code: MISSING_ADDRESS, reason: `There is no address ${unknown}.` };
  return result(what, missing, [[field, fault]]);
}

/** A bundle among the assigned ones; Twilio's code for a missing one is not published, that of a missing end user is taken. */
function assignedBundle(what: Requirement, found: boolean): EvaluationResult {
  const fault = found
    ? undefined
    : { code: MISSING_END_USER, reason: `A ${what.label} is missing. Please add one to the bundle.` };
  return result(what, fault, [[{ name: 'bundle_sid', label: 'Supporting Bundle Status' }, fault]]);
}

/** Every requirement of the bundle's policy; the primary profile's is not judged, the Console made it. */
export function evaluate(context: Context, bundle: Bundle): EvaluationResult[] {
  const bundles = context.trustHub.assignedBundles(bundle);
  if (bundle.policySid === POLICIES.secondaryProfile) {
    return [
      endUser(
        context,
        bundle,
        { type: 'customer_profile_business_information', label: 'Business Information' },
        BUSINESS_INFORMATION,
      ),
      endUser(
        context,
        bundle,
        { type: 'authorized_representative_1', label: 'Authorized Representative 1' },
        AUTHORIZED_REPRESENTATIVE,
      ),
      addressDocument(context, bundle),
      assignedBundle(
        { type: 'primary_customer_profile', label: 'Primary Customer Profile' },
        bundles.some(isApprovedPrimary),
      ),
    ];
  }
  if (bundle.policySid === POLICIES.a2pTrustProduct) {
    return [
      endUser(
        context,
        bundle,
        { type: 'us_a2p_messaging_profile_information', label: 'US A2P Messaging Profile Information' },
        MESSAGING_PROFILE,
      ),
      assignedBundle(
        { type: 'customer_profile', label: 'Customer Profile' },
        bundles.some(({ kind, policySid }) => kind === 'customerProfile' && policySid !== POLICIES.primaryProfile),
      ),
    ];
  }
  return [];
}

export function isCompliant(results: EvaluationResult[]): boolean {
  return results.every(({ passed }) => passed);
}
