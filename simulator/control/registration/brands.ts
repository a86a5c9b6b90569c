/** `POST /control/brands/{sid}` {status, identityStatus?, failureReasons?} and `POST /control/brands/{sid}/click-link`. */
import { z } from 'zod';
import { registrationError, type Brand, type RegistrationError } from '../../brands/brand.ts';
import { check, ControlError, found, type ControlAnswer, type ControlCall } from '../route.ts';
import { brandState } from '../state.ts';

const code = z.number().int().min(10_000).max(99_999);

const decision = z.strictObject({
  status: z.enum(['PENDING', 'IN_REVIEW', 'APPROVED', 'FAILED', 'SUSPENDED', 'DELETION_PENDING', 'DELETION_FAILED']),
  identityStatus: z.enum(['SELF_DECLARED', 'UNVERIFIED', 'VERIFIED', 'VETTED_VERIFIED']).optional(),
  failureReasons: z
    .array(
      z.union([
        code,
        z.string().min(1),
        z.strictObject({ code, description: z.string().optional(), fields: z.array(z.string()).optional() }),
      ]),
    )
    .default([]),
});

/** The code of a reason that is only a text: details that could not be verified. */
const UNSPECIFIC = 30799;

function errorOf(reason: z.infer<typeof decision>['failureReasons'][number]): RegistrationError {
  if (typeof reason === 'number') return registrationError(reason);
  if (typeof reason === 'string') return registrationError(UNSPECIFIC, reason);
  return registrationError(reason.code, reason.description, reason.fields);
}

function brandOf({ world, params }: ControlCall): Brand {
  return found(world.brands.all.get(params['sid'] ?? ''), `brand ${params['sid']}`);
}

export function decideBrand(call: ControlCall): ControlAnswer {
  const brand = brandOf(call);
  const { status, identityStatus, failureReasons } = check(decision, call.body);
  call.world.brandRegistry.decide(brand, { status, identityStatus, errors: failureReasons.map(errorOf) });
  return { status: 200, body: brandState(brand) };
}

export function clickLink(call: ControlCall): ControlAnswer {
  const brand = brandOf(call);
  if (!call.world.brandRegistry.click(brand)) {
    const why = {
      clicked: 'it was clicked before',
      failed: 'it has expired or failed',
      live: '',
      none: 'none was sent',
    };
    throw new ControlError(
      409,
      `Brand ${brand.sid} has no live identity link: ${why[brand.link?.state ?? 'none']} (the brand is ${brand.status})`,
    );
  }
  return { status: 200, body: brandState(brand) };
}
