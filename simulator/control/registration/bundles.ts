/** `POST /control/customer-profiles/{sid}` and `POST /control/trust-products/{sid}` {status, errors?: [{code}]}. */
import { z } from 'zod';
import type { BundleKind } from '../../trusthub/bundle.ts';
import { check, found, type ControlAnswer, type ControlCall } from '../route.ts';
import { bundleState } from '../state.ts';

const decision = z.strictObject({
  status: z.enum(['draft', 'pending-review', 'in-review', 'twilio-rejected', 'twilio-approved']),
  errors: z.array(z.strictObject({ code: z.number().int().min(10_000).max(99_999) })).optional(),
});

function decide({ world, params, body }: ControlCall, kind: BundleKind, what: string): ControlAnswer {
  const bundle = world.trustHub.bundles.all.get(params['sid'] ?? '');
  const known = found(bundle?.kind === kind ? bundle : undefined, `${what} ${params['sid']}`);
  const { status, errors } = check(decision, body);
  world.bundleReview.decide(known, status, errors ?? null);
  return { status: 200, body: bundleState(known) };
}

export function decideCustomerProfile(call: ControlCall): ControlAnswer {
  return decide(call, 'customerProfile', 'customer profile');
}

export function decideTrustProduct(call: ControlCall): ControlAnswer {
  return decide(call, 'trustProduct', 'trust product');
}
