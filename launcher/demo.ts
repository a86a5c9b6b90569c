/** `npm run demo`: twelve weeks of a registration and five days of a mass SMS in seconds, and the stack with a clock that can be moved. */
import { runStack } from './support/run-stack.ts';
import { tellMassSms } from './mass-sms-story.ts';
import { tellRegistration } from './registration-story.ts';

await runStack({
  timeSkipping: true,
  story: async (stack, seed, report) => {
    await tellRegistration(stack, report);
    await tellMassSms(stack, seed, report);
    report('');
  },
  hints: ({ simulator }) => [
    '\nMove the clock; whatever falls due in between happens in order, in seconds:\n',
    `curl -s -X POST ${simulator}/control/clock -H 'content-type: application/json' -d '{"advance":"P7D"}'`,
    `curl -s ${simulator}/control/clock`,
    '\nThis stack has no Web UI, and everything in it is forgotten when it stops.',
  ],
});
