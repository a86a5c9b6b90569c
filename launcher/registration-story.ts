/** The demo's story: a company is registered with the carriers, in twelve weeks of the demo's clock and seconds of ours. */
import { setTimeout as sleep } from 'node:timers/promises';
import intake from '../docs/example-intake.json' with { type: 'json' };
import { apiOf, controlOf } from './support/caller.ts';
import type { Report } from './support/progress.ts';
import type { Stack } from './stack.ts';

interface Registration {
  state: string;
  brand: { status: string };
  campaign: { status: string };
  timeline: { at: string; subject: string; event: string; actor: string; detail: string; awaiting: string }[];
  fees: { amount: number; currency: string; description: string }[];
}

const company = intake.legalName;
const samples = intake.messageSamples;
/** A white dot: what was on the screen does not matter here. */
const screenshot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Registers a company on a time-skipping stack, playing the registry, the representative and the carriers; prints what happened. */
export async function tellRegistration(stack: Stack, report: Report): Promise<void> {
  const began = performance.now();
  const { api, organization } = await newOrganization(stack);
  const control = controlOf(stack.simulator!);
  const advance = (duration: string) => control('POST', '/clock', { advance: duration });
  const until = async (isReached: (registration: Registration) => boolean): Promise<Registration> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const registration = await api<Registration>('GET', '/registration');
      if (isReached(registration)) return registration;
      await sleep(50);
    }
    throw new Error('The demo did not get on: look into the logs of the data folder.');
  };
  const held = async (kind: 'brands' | 'campaigns'): Promise<string[]> =>
    (await control<Record<typeof kind, { sid: string }[]>>('GET', '/state'))[kind].map(({ sid }) => sid);
  const others = new Set([...(await held('brands')), ...(await held('campaigns'))]);
  /** The company's own of a kind: nobody else registers here from now on. */
  const own = async (kind: 'brands' | 'campaigns'): Promise<string> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const sid = (await held(kind)).find((one) => !others.has(one));
      if (sid !== undefined) return sid;
      await sleep(50);
    }
    throw new Error(`The demo did not get to its ${kind}.`);
  };

  await api('POST', '/registration/submit', { accurate: true, representativeAgrees: true });
  await advance('PT5M');
  const brand = await own('brands');
  await control('POST', `/brands/${brand}`, { status: 'APPROVED' });
  await until(({ brand: { status } }) => status === 'registered');
  // The representative lets the link lapse, and follows the second one.
  await advance('P7D');
  await until(({ brand: { status } }) => status === 'verification_expired');
  await api('POST', '/registration/brand/resend', {});
  await advance('P3D');
  await control('POST', `/brands/${brand}/click-link`);
  await until(({ campaign: { status } }) => status === 'in_review');
  const campaign = await own('campaigns');
  await advance('P9D');
  await control('POST', `/campaigns/${campaign}`, {
    status: 'FAILED',
    errors: [{ code: 30893, fields: ['SAMPLE_MESSAGE_2'] }],
  });
  await until(({ campaign: { status } }) => status === 'failed');
  await api('POST', '/registration/campaign/resubmit', {
    messageSamples: [samples[0], `${company}: please bring your ID and work permit on Monday. Reply STOP to opt out.`],
  });
  await advance('P62D');
  await until(({ campaign: { status } }) => status === 'overdue');
  await advance('P4D');
  await control('POST', `/campaigns/${campaign}`, { status: 'VERIFIED' });
  const { timeline, fees } = await until(({ state }) => state === 'completed');

  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  report(`\n${company} (${organization}) was registered with the carriers, in ${seconds} s:\n`);
  const start = Date.parse(timeline[0]!.at);
  for (const { at, actor, detail, awaiting } of timeline) {
    const day = Math.floor((Date.parse(at) - start) / 86_400_000);
    const who = actor.replace(/:.*/, '');
    report(
      `  week ${String(Math.floor(day / 7) + 1).padStart(2)}, day ${String(day).padStart(2)}  ${who.padEnd(14)} ${detail}`,
    );
    if (awaiting !== 'nobody') report(`${' '.repeat(34)}→ ${awaiting}`);
  }
  for (const { amount, currency, description } of fees)
    report(`  ${currency} ${amount.toFixed(2).padStart(6)}  ${description}`);
  const { items: mails } = await control<{ items: { to: string[]; subject: string }[] }>('GET', '/mail');
  report(
    `\n  ${mails.length} emails, the last: "${mails.at(-1)?.subject}"; all of them: curl -s ${stack.simulator}/control/mail`,
  );
}

/** An organization with its questionnaire filled in, and its API. */
async function newOrganization(stack: Stack) {
  const operator = apiOf(stack, stack.operatorKey);
  const { id } = await operator<{ id: string }>('POST', '/organizations', {
    name: company,
    domain: 'harbor-staffing.example',
    country: 'US',
    region: 'MN',
    organizationNumber: '98-7654321',
  });
  const { key } = await operator<{ key: string }>('POST', `/organizations/${id}/keys`, { kind: 'organization' });
  const api = apiOf(stack, key);
  await api('POST', '/module/enable', {});
  await api('PUT', '/registration/intake', intake);
  const form = new FormData();
  form.set('file', new Blob([screenshot], { type: 'image/png' }), 'opt-in.png');
  await api('POST', '/registration/evidence', form);
  return { api, organization: id };
}
