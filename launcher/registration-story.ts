/** The demo's story: a company is registered with the carriers, in twelve weeks of the demo's clock and seconds of ours. */
import { setTimeout as sleep } from 'node:timers/promises';
import intake from '../docs/example-intake.json' with { type: 'json' };
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
export async function tellRegistration(stack: Stack, report: (line: string) => void): Promise<void> {
  const began = performance.now();
  const { api, organization } = await newOrganization(stack);
  const control = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${stack.simulator}/control${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`The demo failed at ${path}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const advance = (duration: string) => control('POST', '/clock', { advance: duration });
  const until = async (isReached: (registration: Registration) => boolean): Promise<Registration> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const registration = await api<Registration>('GET', '/registration');
      if (isReached(registration)) return registration;
      await sleep(50);
    }
    throw new Error('The demo did not get on: look into the logs of the data folder.');
  };
  /** The newest of a kind that the simulator has: nobody else registers here. */
  const newest = async (kind: 'brands' | 'campaigns'): Promise<string> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const held = (await control<Record<string, { sid: string }[]>>('GET', '/state'))[kind]?.at(-1);
      if (held) return held.sid;
      await sleep(50);
    }
    throw new Error(`The demo did not get to its ${kind}.`);
  };

  await api('POST', '/registration/submit', { accurate: true, representativeAgrees: true });
  await advance('PT5M');
  const brand = await newest('brands');
  await control('POST', `/brands/${brand}`, { status: 'APPROVED' });
  await until(({ brand: { status } }) => status === 'registered');
  // The representative lets the link lapse, and follows the second one.
  await advance('P7D');
  await until(({ brand: { status } }) => status === 'verification_expired');
  await api('POST', '/registration/brand/resend', {});
  await advance('P3D');
  await control('POST', `/brands/${brand}/click-link`);
  await until(({ campaign: { status } }) => status === 'in_review');
  const campaign = await newest('campaigns');
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
  const call = async <T>(key: string, method: string, path: string, body?: object): Promise<T> => {
    const isForm = body instanceof FormData;
    const answer = await fetch(`${stack.api}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && !isForm && { 'content-type': 'application/json' }) },
      ...(body && { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`The demo failed at ${method} ${path}: ${text}`);
    return JSON.parse(text) as T;
  };
  const { id } = await call<{ id: string }>(stack.operatorKey, 'POST', '/organizations', {
    name: company,
    domain: 'harbor-staffing.example',
    country: 'US',
    region: 'MN',
    organizationNumber: '98-7654321',
  });
  const { key } = await call<{ key: string }>(stack.operatorKey, 'POST', `/organizations/${id}/keys`, {
    kind: 'organization',
  });
  const api = <T = unknown>(method: string, path: string, body?: object) => call<T>(key, method, path, body);
  await api('POST', '/module/enable', {});
  await api('PUT', '/registration/intake', intake);
  const form = new FormData();
  form.set('file', new Blob([screenshot], { type: 'image/png' }), 'opt-in.png');
  await api('POST', '/registration/evidence', form);
  return { api, organization: id };
}
