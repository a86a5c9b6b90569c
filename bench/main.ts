/**
 * The measurements: `npm run bench`, or with `-- --quick` on small sizes to see that they work, or with
 * `-- --only=pacing` some of them. Prints a table and writes `bench/results.json`; docs/benchmarks.md says what each means.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { waitFor } from '../launcher/support/waiting.ts';
import { memory, pacing } from './limits.ts';
import { liveDelivery } from './live-delivery.ts';
import { addContacts, benchOrganization, type BenchOrganization } from './organization.ts';
import { full, type Measuring, quick } from './plan.ts';
import { type Result, table } from './results.ts';
import { type BenchStack, startBenchStack } from './stack.ts';
import { compare, firstBatch, withCallbacks, withLatency } from './throughput.ts';

type Measurement = (bench: BenchStack, organization: BenchOrganization, measuring: Measuring) => Promise<Result[]>;

const measurements: Record<string, Measurement> = {
  first: firstBatch,
  compare,
  latency: withLatency,
  callbacks: withCallbacks,
  pacing: (bench, _organization, measuring) => pacing(bench, measuring),
  memory,
  live: liveDelivery,
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
  strict: true,
});
const names = values.only?.split(',') ?? Object.keys(measurements);
const unknown = names.filter((name) => !(name in measurements));
if (unknown.length > 0) {
  process.stderr.write(`There is no ${unknown.join(', ')}: --only takes ${Object.keys(measurements).join(', ')}.\n`);
  process.exit(2);
}
const sizes = values.quick ? quick : full;
/** The product's own default for requests under way at once. */
const concurrency = 100;
/** Segments per second: no limit in practice, but permits are fetched and spent as always. */
const unhurried = 100_000;

const report = (line: string) => void process.stdout.write(`${line}\n`);
report('Starting a stack of its own …');
const bench = await startBenchStack(concurrency, () => {});
const interrupted = () => {
  void bench.stop().finally(() => process.exit(130));
};
process.once('SIGINT', interrupted);
process.once('SIGTERM', interrupted);

try {
  const organization = await benchOrganization(bench, {
    rate: unhurried,
    largest: Math.max(...sizes.memory, sizes.batch),
  });
  const lists = new Map<number, string>();
  const measuring: Measuring = {
    sizes,
    judge: !values.quick,
    report,
    list: async (count) => {
      const known = lists.get(count) ?? (await addContacts(bench, organization, count));
      lists.set(count, known);
      return known;
    },
    allDelivered: async (massSmsId, count) => {
      await waitFor(
        async () => {
          const { rows } = await bench.admin.query<{ delivered: string }>(
            `select sum(count) as delivered from mass_sms_tallies where mass_sms_id = $1 and kind = 'delivered'`,
            [massSmsId],
          );
          return Number(rows[0]?.delivered) >= count;
        },
        { what: `${count} messages to be known as delivered`, within: 300_000 },
      );
    },
  };
  const results: Result[] = [];
  for (const name of names) results.push(...(await measurements[name]!(bench, organization, measuring)));
  report(`\n${table(results)}`);
  if (values.quick) report('\nSizes of --quick: this shows that the measurements work, and nothing else.');
  await writeFile(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  await bench.stop();
}
