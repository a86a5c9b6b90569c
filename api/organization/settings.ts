/** An organization's settings. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Changes } from '../../db/changes.ts';
import { changeSettings, readSettings } from '../../db/organizations/organizations.ts';
import type { Trx } from '../../db/database.ts';
import { findNumberByPhone } from '../../db/numbers/lines.ts';
import { judgeAnew } from '../../db/messages/outbox.ts';
import { isLocalNumber } from '../../domain/numbers/area-codes.ts';
import { mostForwarded } from '../../domain/messages/forwarded-text.ts';
import { mergeCodesIn } from '../../domain/messages/merge-codes.ts';
import { saysHowToStop } from '../../domain/messages/text.ts';
import { purposes } from '../../domain/purpose.ts';
import { days, isWithinDay, type SendWindow } from '../../domain/send-window.ts';
import type { Settings } from '../../domain/settings.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { wakeAfterCommit } from '../messages/wake.ts';
import { invalid, refused } from '../shared/problems.ts';
import { email, phoneNumber, text, timeOfDay, timeZone, webAddress } from '../shared/schemas.ts';

const sendWindow = z.strictObject({
  startTime: timeOfDay,
  endTime: timeOfDay.meta({
    description: 'Later than startTime; `00:00` is midnight at the end of the day; equal to startTime: the whole day',
  }),
  timeZone,
  days: z
    .array(z.enum(days))
    .min(1, 'must name at least one day')
    .max(7)
    .transform((given) => days.filter((day) => given.includes(day))),
});

/** Two segments: these go out in addition to what people write. */
const longestWords = 320;
const wordsMayName = ['organization.name', 'user.name'];

/** Words the organization chooses for what is sent by itself. */
const words = (description: string) =>
  text(longestWords)
    .superRefine((written, context) => {
      for (const code of mergeCodesIn(written).filter((name) => !wordsMayName.includes(name))) {
        const message = `holds {{${code}}}: only {{organization.name}} and {{user.name}} can be filled in here`;
        context.addIssue({ code: 'custom', message });
      }
    })
    .meta({ description: `${description}; may hold {{organization.name}} and {{user.name}}` });

/** A YES is consent to what was asked: who asks, in whose name, and how to agree or to refuse (C2). */
const asksProperly = (written: string): boolean => {
  const codes = mergeCodesIn(written);
  return wordsMayName.every((code) => codes.includes(code)) && /\bYES\b/.test(written) && saysHowToStop(written);
};

const replyForwarding = z.strictObject({
  email: email.nullable(),
  phone: phoneNumber.nullable().meta({
    description:
      'A cell number of the United States or Canada, none of your lines; what it writes to your lines is no message of a contact any more',
  }),
});

const size = z.int().min(1).max(1_000_000);

const fields = {
  sendWindow,
  sendWindowMode: z.enum(['organization', 'recipient']).meta({
    description: '`recipient`: the window is narrowed to the lawful hours where each recipient is',
  }),
  maxMessageLength: z.literal(160).nullable().meta({ description: 'Characters of one message; null: no limit' }),
  disclaimer: words('Said with the first message to a contact')
    .refine(saysHowToStop, 'must say how to opt out, as in: Reply STOP to opt out')
    .meta({ description: 'Said with the first message to a contact; must mention STOP' }),
  optInRequest: words('An opt-in request')
    .refine(asksProperly, 'must hold {{user.name}} and {{organization.name}}, and the words YES and STOP')
    .meta({ description: 'An opt-in request; must hold {{user.name}} and {{organization.name}}, YES and STOP' }),
  optInConfirmation: words('The answer to its YES'),
  helpReply: words('The answer to HELP'),
  replyForwarding: replyForwarding.meta({
    description: `Where replies of contacts are forwarded to; in an hour at most ${mostForwarded.sms} by SMS and ${mostForwarded.email} by email`,
  }),
  massSmsLimit: size.meta({ description: 'Most recipients of one mass SMS' }),
  firstBatchSize: size,
  dailyBatchSize: size,
  optOutScope: z.enum(['platform', 'organization', 'number']).meta({ description: 'How far a STOP reaches' }),
  permittedPurposes: z
    .array(z.enum(purposes))
    .min(1, 'must name at least one purpose')
    .max(purposes.length)
    .transform((given) => purposes.filter((purpose) => given.includes(purpose))),
  dropRateLimit: z
    .number()
    .min(0.01)
    .max(0.5)
    .meta({
      description: 'The share of dropped messages at which a mass SMS is suspended: 0.1 is 10 %',
      examples: [0.1],
    }),
  digestTime: timeOfDay.meta({
    description: "When the daily digest of notifications goes out, in the organization's time zone",
    examples: ['09:00'],
  }),
  privacyPolicyUrl: webAddress.nullable().meta({
    description: 'Goes into the registration when its intake names none',
    examples: ['https://acme.example/privacy'],
  }),
  termsUrl: webAddress.nullable().meta({
    description: 'Goes into the registration when its intake names none',
    examples: ['https://acme.example/terms'],
  }),
};

const settings = z
  .object({
    ...fields,
    privacyPolicyUrl: z.string().nullable(),
    termsUrl: z.string().nullable(),
    sendWindow: z.object({ startTime: timeOfDay, endTime: timeOfDay, timeZone, days: z.array(z.enum(days)) }),
    permittedPurposes: z.array(z.enum(purposes)),
    disclaimer: z.string(),
    optInRequest: z.string(),
    optInConfirmation: z.string(),
    helpReply: z.string(),
    replyForwarding: z.object({ email: z.string().nullable(), phone: z.string().nullable() }),
  })
  .meta({ id: 'Settings' });

const changes = z
  .strictObject({ ...fields, sendWindow: sendWindow.partial(), replyForwarding: replyForwarding.partial() })
  .partial();

const toSettings = (current: Settings): z.infer<typeof settings> => ({
  ...current,
  sendWindow: { ...current.sendWindow, days: [...current.sendWindow.days] },
  permittedPurposes: [...current.permittedPurposes],
});

function changedWindow(current: SendWindow, change: Changes<SendWindow>): SendWindow {
  const changed: SendWindow = {
    startTime: change.startTime ?? current.startTime,
    endTime: change.endTime ?? current.endTime,
    timeZone: change.timeZone ?? current.timeZone,
    days: change.days ?? current.days,
  };
  if (isWithinDay(changed)) return changed;
  throw invalid([
    {
      path: 'sendWindow.endTime',
      message:
        'must be after startTime, 00:00 for midnight, or equal to startTime for the whole day; a window cannot go over midnight: name a timeZone in which it does not',
    },
  ]);
}

/** @throws {Problem} 422 for what costs more than a text near by; 400 for a line of ours: what is passed on would come back */
async function requireCell(trx: Trx, organizationId: string, phone: string | null | undefined): Promise<void> {
  if (!phone) return;
  if (!isLocalNumber(phone)) {
    throw refused(
      'forwarding_not_allowed',
      'Replies are forwarded to local numbers of the United States and Canada only, because costly destinations invite toll fraud: name such a cell number.',
    );
  }
  if (!(await findNumberByPhone(trx, organizationId, phone))) return;
  const message = 'is one of your own lines: name a cell number that somebody carries';
  throw invalid([{ path: 'replyForwarding.phone', message }]);
}

/** What a change leads to, with what is nested filled up from what is there. */
function changedSettings(current: Settings, given: z.infer<typeof changes>): Changes<Settings> {
  const { sendWindow: window, replyForwarding: forwarding, ...plain } = given;
  const { email = current.replyForwarding.email, phone = current.replyForwarding.phone } = forwarding ?? {};
  return {
    ...plain,
    ...(window && { sendWindow: changedWindow(current.sendWindow, window) }),
    ...(forwarding && { replyForwarding: { email, phone } }),
  };
}

export const settingsRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;
  const tags = ['Settings'];

  app.get(
    '/settings',
    { config: { access: 'member' }, schema: { tags, summary: 'Read the settings', response: { 200: settings } } },
    async (request) => {
      const organizationId = organizationOf(request);
      return toSettings(await database.inOrganization(organizationId, (trx) => readSettings(trx, organizationId)));
    },
  );

  app.patch(
    '/settings',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags,
        summary: 'Change settings',
        description: 'Only the fields that are sent change, also within `sendWindow`.',
        body: changes,
        response: { 200: settings },
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const given = request.body;
      const now = clock.now();
      const { changed, isToWake } = await database.inOrganization(organizationId, async (trx) => {
        await requireCell(trx, organizationId, given.replyForwarding?.phone);
        const change = (current: Settings) => changedSettings(current, given);
        const changed = await changeSettings(trx, organizationId, change, now);
        await audit(trx, request, 'settings.changed', organizationId, { fields: Object.keys(given) });
        const isOfWindow = given.sendWindow !== undefined || given.sendWindowMode !== undefined;
        return { changed, isToWake: isOfWindow && (await judgeAnew(trx, organizationId, now)) };
      });
      if (isToWake) await wakeAfterCommit(request);
      return toSettings(changed);
    },
  );
};
