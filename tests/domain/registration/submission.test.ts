/** What goes to the carriers: the flow names the evidence, the newest first, as far as there is room. */
import { describe, expect, test } from 'vitest';
import { campaignSubmission } from '../../../domain/registration/submission.ts';
import { honest } from './intakes.ts';

const { intake } = honest.staffing;
const label = '\nScreenshot of the opt-in:';
const urlOf = (name: string) => `https://longwave.test/evidence/${name.padEnd(43, '-')}`;
const flowOf = (messageFlow: string, urls: string[]) =>
  campaignSubmission({ ...intake, messageFlow }, urls).messageFlow;

describe('the message flow', () => {
  test('names all evidence in the order in which it is given: the newest first', () => {
    expect(flowOf(' By form. ', ['c', 'b', 'a'].map(urlOf))).toBe(
      `By form.${label} ${urlOf('c')} ${urlOf('b')} ${urlOf('a')}`,
    );
  });

  test('without evidence is as it was filled in', () => {
    expect(flowOf(' By form. ', [])).toBe('By form.');
  });

  const one = 1 + urlOf('').length;
  test.each([
    [0, 0],
    [label.length + one - 1, 0],
    [label.length + one, 1],
    [label.length + 3 * one, 3],
    [label.length + 4 * one - 1, 3],
  ])('with room for %i characters names the newest %i', (room, count) => {
    const flow = 'x'.repeat(2_048 - room);
    const names = Array.from({ length: 10 }, (_, n) => urlOf(`${9 - n}`));
    const result = flowOf(flow, names);
    expect(result.length).toBeLessThanOrEqual(2_048);
    expect(result).toBe(
      flow +
        (count === 0 ? '' : label) +
        names
          .slice(0, count)
          .map((url) => ` ${url}`)
          .join(''),
    );
  });
});
