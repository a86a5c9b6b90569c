/** `GET /control/clock`, and `POST /control/clock` {advance: "P7D"} on a time-skipping stack. */
import { Duration } from 'luxon';
import { z } from 'zod';
import { check, ControlError, type ControlAnswer, type ControlCall } from './route.ts';

const move = z.strictObject({ advance: z.string() });

export function readClock({ world }: ControlCall): ControlAnswer {
  const epochMs = world.clock.now();
  return { status: 200, body: { now: new Date(epochMs).toISOString(), epochMs } };
}

export async function moveClock(call: ControlCall): Promise<ControlAnswer> {
  const { advance } = check(move, call.body);
  const duration = Duration.fromISO(advance);
  const milliseconds = duration.toMillis();
  if (!duration.isValid || milliseconds < 0) {
    throw new ControlError(400, `advance: ${advance} is not an ISO 8601 duration such as P7D or PT12H30M`);
  }
  await call.world.clock.advance(milliseconds, () => call.world.callbacks.quiet());
  return readClock(call);
}
