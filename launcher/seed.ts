/** The demo organization of `npm start`: enabled, with contacts from a CSV file and an all-day sending window. */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openDatabase } from '../db/database.ts';
import { secretBox } from '../db/secrets.ts';
import { permissions } from '../api/permissions.ts';
import { enableOrganization } from './enable-organization.ts';
import type { Stack } from './stack.ts';

export interface DemoSeed {
  organizationId: string;
  organizationKey: string;
  /** Lines to copy into a shell. */
  curl: string[];
}

const seedSchema = z.object({ organizationId: z.string(), organizationKey: z.string() });

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
  const known = existsSync(file) ? seedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : await seed(stack, file);
  const message = '{{organization.name}}: Hi {{contact.firstName}}, we are hiring nearby. Reply STOP to opt out.';
  const body = JSON.stringify({ list, body: message, immediate: true, allowWeekends: true });
  return {
    ...known,
    curl: [
      `curl -s ${stack.api}/v1/mass-sms \\`,
      `  -H 'Authorization: Bearer ${known.organizationKey}' -H 'Content-Type: application/json' \\`,
      `  -d '${body}'`,
    ],
  };
}

async function seed(stack: Stack, file: string): Promise<z.infer<typeof seedSchema>> {
  const call = async (method: string, path: string, given: { key: string; json?: unknown; csv?: string }) => {
    const response = await fetch(`${stack.api}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${given.key}`,
        'content-type': given.csv === undefined ? 'application/json' : 'text/csv',
      },
      body: given.csv ?? JSON.stringify(given.json ?? {}),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`Seeding failed at ${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const operator = { key: stack.operatorKey };
  const organization = await call('POST', '/organizations', {
    ...operator,
    json: {
      name: 'Demo Staffing',
      domain: 'demo-staffing.example',
      country: 'US',
      region: 'IL',
      organizationNumber: '12-3456789',
      timeZone: 'America/Chicago',
    },
  });
  const organizationId = String(organization['id']);
  const { key } = await call('POST', `/organizations/${organizationId}/keys`, {
    ...operator,
    json: { kind: 'organization' },
  });
  const organizationKey = String(key);
  const acting = { key: organizationKey };
  await call('PATCH', '/settings', {
    ...acting,
    json: {
      sendWindow: {
        startTime: '00:00',
        endTime: '00:00',
        timeZone: 'America/Chicago',
        days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
      },
    },
  });
  const user = await call('POST', '/users', {
    ...acting,
    json: { name: 'Dana Demo', email: 'dana@demo-staffing.example', permissions: [...permissions] },
  });
  await call('POST', `/contacts/import?list=${encodeURIComponent(list)}`, { ...acting, csv: csv() });
  if (stack.simulator) await enable(stack, stack.simulator, organizationId, String(user['id']));
  const made = { organizationId, organizationKey };
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
