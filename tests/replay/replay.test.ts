/** A change that breaks replay would strand every process that is running: all committed histories must still replay. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from './bundle.ts';
import { historyFromJson } from './history-json.ts';
import { historiesFolder, replayErrors } from './record.ts';

const files = (await readdir(historiesFolder)).filter((file) => file.endsWith('.json')).toSorted();
const read = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(path.join(historiesFolder, file), 'utf8'));

/** Every text in a history, payloads decoded. */
function* texts(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    yield value;
    if (/^[A-Za-z0-9+/]{4,}={0,2}$/.test(value)) yield Buffer.from(value, 'base64').toString('utf8');
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      yield key;
      yield* texts(item);
    }
  }
}

/** The paths that must be among them, by workflow. */
const recorded = {
  digest: ['continuingAsNew', 'sent', 'woken', 'workerKilled'],
  massSms: [
    'cancelled',
    'continuedAsNew',
    'doubtsSettled',
    'errorResumed',
    'pausedResumed',
    'rescheduled',
    'suspendedReleased',
    'threeBatches',
    'toldToLook',
    'windowClosed',
    'windowExpired',
  ],
  outbox: ['continuingAsNew', 'doubtSettled', 'releasedEarly', 'windowChanged', 'windowOpens', 'woken', 'wokenEarlier'],
  numberProvisioning: [
    'allGivenUp',
    'bulk',
    'cancelledInTheWebUi',
    'cancelledWhileTwilioIsAway',
    'continuedAsNew',
    'continuingAsNew',
    'oneGivenUp',
    'releases',
  ],
  registration: ['cancelled', 'cancelledInTheWebUi', 'happyPath'],
  brandVerification: [
    'addressCorrected',
    'cancelled',
    'clickedOnDay6',
    'continuedAsNew',
    'continuingAsNew',
    'correctedAndResubmitted',
    'happyPath',
    'lapsedAndResent',
    'profileRejected',
    'publicCompany',
    'resendRefused',
  ],
  campaignReview: [
    'continuedAsNew',
    'continuingAsNew',
    'eventsDoubledAndEarly',
    'happyPath',
    'otherUseCase',
    'polledOnly',
    'rejectedThreeTimesOverdueVerified',
  ],
  optIn: ['accepted', 'askedTwice', 'cancelled', 'declined', 'expired'],
  webhookDelivery: ['continuingAsNew', 'downForADay', 'woken'],
  statusReconciliation: ['continuedAsNew', 'continuingAsNew', 'lostCallbacks', 'severalLooks'],
};

describe('recorded histories', () => {
  it.for(Object.entries(recorded).flatMap(([workflow, paths]) => paths.map((what) => `${workflow}.${what}`)))(
    'include %s',
    (what) => {
      expect(files).toContain(`${what}.v1.json`);
    },
  );

  it('all replay on the code of today', async () => {
    const bundle = await workflowBundle();
    const histories = await Promise.all(
      files.map(async (file) => ({ workflowId: file, history: historyFromJson(await read(file)) })),
    );
    const results = await replayErrors(histories, bundle);
    expect(results).toEqual(Object.fromEntries(files.map((file) => [file, null])));
  });

  it('are told from a history that does not replay', async () => {
    const [file] = files;
    const history = (await read(file!)) as { events: { eventId: string }[] };
    // As if the workflow had once begun with something else: what it did first is missing.
    const started = history.events.findIndex((event) => 'activityTaskScheduledEventAttributes' in event);
    const broken = structuredClone(history);
    Object.assign(broken.events[started]!, {
      eventType: 'EVENT_TYPE_TIMER_STARTED',
      timerStartedEventAttributes: { timerId: '99', startToFireTimeout: '1s', workflowTaskCompletedEventId: '4' },
    });
    delete (broken.events[started] as Record<string, unknown>)['activityTaskScheduledEventAttributes'];
    const results = await replayErrors(
      [{ workflowId: 'broken', history: historyFromJson(broken) }],
      await workflowBundle(),
    );
    expect(results['broken']).toMatch(/[Nn]ondeterminism/);
  });

  it.for(files)('%s holds no phone number, message body, token or name of a person', async (file) => {
    const all = [...texts(await read(file))].join('\n');
    // The texts were found: ids are in them.
    expect(all).toMatch(/(mms|org)_[\da-f-]{36}/);
    expect(all).not.toMatch(/(?<!\d)\+\d{8,15}/);
    expect(all).not.toMatch(/\b1?[2-9]\d{2}[2-9]\d{6}\b/);
    // Of a machine: `(/home/…`, `file:///…`.
    expect(all).not.toMatch(/[( ]\/\w+\/|file:\/\/\/\w/);
    expect(all).not.toMatch(/we are hiring|STOP|First\d|Last\d|Sam Sender/);
    expect(all).not.toMatch(/Robin|Reyes|\w@[a-z][\w-]*\.[a-z]|Main Street|12-345678|98-7654321|Staffing/);
    expect(all).not.toMatch(/\bAC[\da-f]{32}\b|\bSM[\da-f]{32}\b|lw_/);
  });
});
