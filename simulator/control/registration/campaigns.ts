/** `POST /control/campaigns/{sid}` {status, errors?: [{code, fields?, description?}]}: the outcome of a review. */
import { z } from 'zod';
import { registrationError } from '../../brands/brand.ts';
import { check, found, type ControlAnswer, type ControlCall } from '../route.ts';
import { campaignState } from '../state.ts';

const decision = z.strictObject({
  status: z.enum(['PENDING', 'IN_PROGRESS', 'VERIFIED', 'FAILED', 'SUSPENDED']),
  errors: z
    .array(
      z.strictObject({
        code: z.number().int().min(10_000).max(99_999),
        fields: z.array(z.string()).optional(),
        description: z.string().optional(),
      }),
    )
    .default([]),
});

export function decideCampaign({ world, params, body }: ControlCall): ControlAnswer {
  const campaign = found(world.campaigns.all.get(params['sid'] ?? ''), `campaign ${params['sid']}`);
  const { status, errors } = check(decision, body);
  const stated = errors.map(({ code, fields, description }) => registrationError(code, description, fields));
  world.campaignReviews.decide(campaign, status, stated);
  return { status: 200, body: campaignState(campaign) };
}
