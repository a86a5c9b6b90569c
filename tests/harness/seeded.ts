/**
 * Properties are tested with the same random values in every run, so that one which fails was broken by the change and not
 * by chance. `LONGWAVE_SEED=1234 npm test -- tests/domain` explores others.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['LONGWAVE_SEED'] ?? 20_261_130) });
