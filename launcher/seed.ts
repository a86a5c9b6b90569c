/** The demo organization of `npm start`: enabled, with contacts from a CSV file and an all-day sending window. */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openDatabase } from '../db/database.ts';
import { secretBox } from '../db/secrets.ts';
import { permissions } from '../api/shared/permissions.ts';
import { enableOrganization } from './enable-organization.ts';
import { apiOf } from './support/caller.ts';
import type { Stack } from './stack.ts';

const seedSchema = z.object({
  organizationId: z.string(),
  organizationKey: z.string(),
  /** The operator's account at Twilio then: the organization's own is in it. */
  accountSid: z.string().optional(),
});

export interface DemoSeed {
  organizationId: string;
  organizationKey: string;
  /** The list of its contacts, and a text for them. */
  list: string;
  body: string;
  /** What to do with it, in lines for people and for a shell. */
  next: string[];
}

const contacts = 6_000;
const list = 'Demo contacts';
// Real area codes of places in several time zones.
const areaCodes = ['212', '312', '303', '415', '617', '206', '512', '404'];
const firstNames = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Radia', 'Tim', 'Frances', 'Ken'];
const lastNames = ['Ng', 'Okafor', 'Silva', 'Novak', 'Haddad', 'Kim', 'Larsen', 'Moreau', 'Rossi', 'Tanaka'];

/** A CSV file as a customer would upload it. */
function csv(): string {
  const rows = ['firstName,lastName,mobile,email,consent,consentMethod,city'];
  for (let index = 0; index < contacts; index += 1) {
    const first = firstNames[index % 10]!;
    const last = lastNames[Math.floor(index / 10) % 10]!;
    const area = areaCodes[index % areaCodes.length]!;
    const mobile = `(${area}) ${200 + Math.floor(index / 10_000)}-${String(index % 10_000).padStart(4, '0')}`;
    rows.push(
      `${first},${last},${mobile},${first}.${last}.${index}@example.com`
        .toLowerCase()
        .replace(first.toLowerCase(), first) + ',both,web form,Springfield',
    );
  }
  return rows.join('\n');
}

/** Makes the demo organization, or finds the one made before: what was done with it stays. */
export async function seedDemo(stack: Stack): Promise<DemoSeed> {
  const file = join(stack.data, 'demo.json');
  const { organizationId, organizationKey } = (await findSeed(stack, file)) ?? (await seed(stack, file));
  const body = '{{organization.name}}: Hi {{contact.firstName}}, we are hiring nearby. Reply STOP to opt out.';
  const next = await nextSteps(stack, organizationKey, { list, body, immediate: true, allowWeekends: true });
  return { organizationId, organizationKey, list, body, next };
}

/** The seed of an earlier start, if this database knows it and its account is of the Twilio that is used now. */
async function findSeed(stack: Stack, file: string): Promise<z.infer<typeof seedSchema> | undefined> {
  if (!existsSync(file)) return undefined;
  const known = seedSchema.safeParse(jsonOf(readFileSync(file, 'utf8'))).data;
  if (known === undefined) return undefined;
  const { organizationKey, accountSid = stack.environment['TWILIO_ACCOUNT_SID'] } = known;
  if (accountSid !== stack.environment['TWILIO_ACCOUNT_SID']) return undefined;
  const answer = await fetch(`${stack.api}/v1/module`, { headers: { authorization: `Bearer ${organizationKey}` } });
  if (answer.status === 401) return undefined;
  if (!answer.ok) throw new Error(`The demo organization cannot be looked up: ${await answer.text()}`);
  return known;
}

/** Undefined for what is no JSON: a start may have ended while it was written. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A line that sends a mass SMS; before the organization can send, what it needs first. */
async function nextSteps(stack: Stack, key: string, massSms: object): Promise<string[]> {
  const { state, missing } = await apiOf(stack, key)<{ state: string; missing: string[] }>('GET', '/module');
  const curl = (method: string, path: string, body: object) => [
    `curl -s -X ${method} ${stack.api}/v1${path} \\`,
    `  -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ];
  if (state === 'enabled') return ['Send a mass SMS:\n', ...curl('POST', '/mass-sms', massSms)];
  return [
    `The demo organization cannot send yet: its SMS module is ${state.replace('_', ' ')}.`,
    ...(missing.length === 0
      ? []
      : [
          `It lacks ${missing.join(', ')}. Register it with the carriers (docs/registration.md), or bring an account that is`,
          'registered already, with a number in its messaging service:\n',
          ...curl('PUT', '/module/credentials', { accountSid: 'AC…', authToken: '…', messagingServiceSid: 'MG…' }),
        ]),
    'Then enable it:\n',
    ...curl('POST', '/module/enable', {}),
  ];
}

async function seed(stack: Stack, file: string): Promise<z.infer<typeof seedSchema>> {
  const operator = apiOf(stack, stack.operatorKey);
  const { id: organizationId } = await operator<{ id: string }>('POST', '/organizations', {
    name: 'Demo Staffing',
    domain: 'demo-staffing.example',
    country: 'US',
    region: 'IL',
    organizationNumber: '12-3456789',
    timeZone: 'America/Chicago',
  });
  const { key: organizationKey } = await operator<{ key: string }>('POST', `/organizations/${organizationId}/keys`, {
    kind: 'organization',
  });
  const acting = apiOf(stack, organizationKey);
  await acting('PATCH', '/settings', {
    sendWindow: {
      startTime: '00:00',
      endTime: '00:00',
      timeZone: 'America/Chicago',
      days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    },
  });
  const user = await acting<{ id: string }>('POST', '/users', {
    name: 'Dana Demo',
    email: 'dana@demo-staffing.example',
    permissions: [...permissions],
  });
  await acting('POST', `/contacts/import?list=${encodeURIComponent(list)}`, csv());
  if (stack.simulator) await enable(stack, stack.simulator, organizationId, user.id);
  const accountSid = stack.environment['TWILIO_ACCOUNT_SID'];
  const made = { organizationId, organizationKey, accountSid };
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

async function enable(stack: Stack, twilioUrl: string, organizationId: string, userId: string): Promise<void> {
  const { environment } = stack;
  const database = openDatabase(stack.databaseUrl, { poolSize: 2 });
  try {
    await enableOrganization(
      {
        database,
        secrets: secretBox(environment['SECRETS_KEYS']!),
        accountSid: environment['TWILIO_ACCOUNT_SID']!,
        authToken: environment['TWILIO_AUTH_TOKEN']!,
        twilioUrl,
        publicUrl: environment['PUBLIC_URL']!,
      },
      {
        organizationId,
        name: 'Demo Staffing',
        phoneNumber: `+1312${randomInt(2_000_000, 9_999_999)}`,
        userId,
        // A standard brand with a score of 75 to 100.
        segmentsPerSecond: 225,
      },
    );
  } finally {
    await database.close();
  }
}
