/** What is said when no number was bought: each text ends in what to do next, and claims no more than is known. */
import { expect, it } from 'vitest';
import { purchaseFailures } from '../../../domain/numbers/purchases.ts';

it.each([
  ['has_line', /release it, or take the user off it, first/],
  ['purchase_under_way', /wait for that run/],
  ['user_inactive', /make this user active.*or leave them out/],
  ['no_mobile', /add it, or name an area code/],
  ['mobile_without_area_code', /name an area code/],
  ['no_numbers', /allowNearby.*or name another area code/],
  ['number_not_available', /search again and choose another one/],
  ['refused_by_twilio', /look at its code.*then buy again/],
  ['cancelled', /ask again for those users/],
  ['gave_up', /check GET \/v1\/module and Twilio's status, then ask again for these users/],
] as const)('%s: %s', (reason, remedy) => {
  expect(purchaseFailures[reason]).toMatch(remedy);
});

it('none is left out above, and a run that was cancelled or given up does not tell how far it came', () => {
  expect(Object.keys(purchaseFailures)).toHaveLength(10);
  expect(purchaseFailures.cancelled).not.toContain('before it came');
  expect(purchaseFailures.gave_up).not.toMatch(/day|hour/);
});
