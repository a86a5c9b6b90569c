/** What `npm run demo` and `npm start` set up and play, on the whole product. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellMassSms } from '../../launcher/mass-sms-story.ts';
import { tellRegistration } from '../../launcher/registration-story.ts';
import { type DemoSeed, seedDemo } from '../../launcher/seed.ts';
import { startStack, type Stack } from '../../launcher/stack.ts';
import { apiClient } from '../harness/api-client.ts';
import { controlClient } from '../harness/control.ts';
import {
  cloneDatabase,
  freePorts,
  freshNamespace,
  startTestStack,
  temporaryFolder,
} from '../harness/infrastructure.ts';

describe('a demo', () => {
  let stack: Stack;
  let seed: DemoSeed;
  beforeAll(async () => {
    stack = await startTestStack({ timeSkipping: true });
    seed = await seedDemo(stack);
  });
  afterAll(() => stack?.stop());

  it('registers a company in twelve weeks of its clock, with all that can go wrong on the way', async () => {
    const lines: string[] = [];
    await tellRegistration(stack, (line) => lines.push(line));
    const text = lines.join('\n');
    expect(text).toMatch(/^\s*Harbor Staffing \(org_\S+\) was registered with the carriers, in [\d.]+ s:/);
    expect(text).toMatch(/day  7 .*The identity link was not followed within 7 days/);
    expect(text).toContain('→ representative');
    expect(text).toMatch(/day 19 .*The campaign was rejected/);
    expect(text).toMatch(/day 80 .*more than ten weeks/);
    expect(text).toMatch(/day 85 .*The registration is complete/);
  });

  it('sends a mass SMS in five daily batches, to each contact once, and tells each batch', async () => {
    const lines: string[] = [];
    const api = apiClient(stack.api, seed.organizationKey);
    const before = (await api.get('/v1/settings')).body;
    await tellMassSms(stack, seed, (line) => lines.push(line));
    const told = lines.flatMap((line) => {
      const [, day, date, time, sent] = /^ +day (\d), ([\d-]{10}) ([\d:]{5}) UTC +(\d+) sent/.exec(line) ?? [];
      return day === undefined ? [] : [{ day: Number(day), at: Date.parse(`${date}T${time}Z`), sent: Number(sent) }];
    });
    expect(told.map(({ day, sent }) => [day, sent])).toEqual([
      [1, 100],
      [2, 200],
      [3, 200],
      [4, 200],
      [5, 200],
    ]);
    // A day each, by the local clock: an hour more or less where daylight-saving time begins or ends.
    const gaps = told.slice(1).map(({ at }, index) => (at - told[index]!.at) / 3_600_000);
    for (const hours of gaps) expect(Math.abs(hours - 24)).toBeLessThan(1.1);
    expect(lines.at(-1)).toContain('completed');

    const { items } = await controlClient(stack.simulator!).messages();
    expect(items).toHaveLength(900);
    expect(new Set(items.map(({ to }) => to)).size).toBe(900);
    // Whoever goes on with the demo finds the settings that there were.
    expect((await api.get('/v1/settings')).body).toEqual(before);
  });
});

describe('the demo organization', () => {
  it('is found again with what was done with it; a database that does not know it, or a broken file, gets another', async () => {
    const stack = await startTestStack();
    try {
      const first = await seedDemo(stack);
      expect(first.next.join('\n')).toMatch(/^Send a mass SMS:\n\ncurl -s -X POST \S+\/v1\/mass-sms/);
      expect(await seedDemo(stack)).toEqual(first);

      const file = join(stack.data, 'demo.json');
      const written = JSON.parse(await readFile(file, 'utf8'));
      await writeFile(file, JSON.stringify({ ...written, organizationKey: 'lw_organization_of_another_database' }));
      const second = await seedDemo(stack);
      expect(second.organizationId).not.toBe(first.organizationId);
      const { status } = await apiClient(stack.api, second.organizationKey).get('/v1/module');
      expect(status).toBe(200);
      expect(await seedDemo(stack)).toEqual(second);

      await writeFile(file, '{"organizationId":"org_');
      expect((await seedDemo(stack)).organizationId).not.toBe(second.organizationId);
    } finally {
      await stack.stop();
    }
  });

  it('cannot send with a real Twilio account, and says what it takes instead of a line that fails', async () => {
    const database = await cloneDatabase();
    const { address, namespace } = await freshNamespace();
    const stack = await startStack({
      data: await temporaryFolder('real'),
      ports: await freePorts(),
      real: {
        databaseUrl: database.url,
        temporalAddress: address,
        twilio: { accountSid: `AC${'1'.repeat(32)}`, authToken: 'token' },
      },
      namespace,
      parts: ['api'],
      report: () => {},
    });
    try {
      const { next } = await seedDemo(stack);
      const text = next.join('\n');
      expect(text).toContain('cannot send yet: its SMS module is disabled');
      expect(text).toContain('It lacks accountSid, authToken, messagingServiceSid');
      expect(text).toContain('/v1/module/credentials');
      expect(text).not.toContain('/v1/mass-sms');
      expect(stack.environment['WEBHOOKS_TO_LOOPBACK']).toBeUndefined();
    } finally {
      await stack.stop();
      await database.release();
    }
  });
});
