/** Rules by which batches are planned, with the hardest zones and windows, and what never opens by them. */
import fc from 'fast-check';
import { type BatchRules, NeverOpensError } from '../../../domain/mass-sms/batches.ts';
import { placeAndTime, windowIn } from '../zones.ts';

/** Rules and a moment. */
export const rulesAt = placeAndTime.chain(({ zone, at }) =>
  fc.record({
    at: fc.constant(at),
    rules: fc.record({
      window: windowIn(zone),
      timeZone: fc.oneof(
        { weight: 4, arbitrary: fc.constant(zone) },
        { weight: 2, arbitrary: fc.constantFrom('America/New_York', 'Asia/Kolkata', 'Pacific/Auckland') },
      ),
      allowWeekends: fc.boolean(),
    }) satisfies fc.Arbitrary<BatchRules>,
  }),
);
/** Plans, or null when the window never opens. */
export const attempt = <T>(work: () => T): T | null => {
  try {
    return work();
  } catch (error) {
    if (error instanceof NeverOpensError) return null;
    throw error;
  }
};
