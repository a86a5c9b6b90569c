/** How fast messages go out, and at what cost: side by side with what others would build. */
import type { CompetitorName } from './competitor.ts';
import { type LongwaveRun, type Run, runLongwave } from './longwave.ts';
import { type Reading, spreadOf } from './measure.ts';
import type { BenchOrganization } from './organization.ts';
import type { Measuring } from './plan.ts';
import { type Aim, type Result, result } from './results.ts';
import { runRival } from './rivals.ts';
import type { BenchStack } from './stack.ts';

const rivals: readonly { name: CompetitorName; against: string; aim: Aim }[] = [
  { name: 'SDK loop', against: 'SDK loop that stores nothing', aim: { least: 0.65 } },
  { name: 'graphile-worker', against: 'graphile-worker, a job per message', aim: { least: 1.5 } },
  { name: 'pg-boss', against: 'pg-boss, a job per message', aim: { least: 1.5 } },
];

/**
 * The very first batch of a database that nothing was ever sent from, for which Postgres has no statistics yet. What
 * follows runs with them, as in any database in which autovacuum has come by once.
 */
export async function firstBatch(bench: BenchStack, organization: BenchOrganization, measuring: Measuring) {
  const { sizes, report, judge } = measuring;
  const list = await measuring.list(sizes.batch);
  await bench.restartWorker();
  await bench.prepare({});
  const run = await runLongwave(bench, organization, { list, count: sizes.batch });
  report(`first batch of the database: ${described(run)}`);
  await bench.admin.query('vacuum analyze messages');
  const measurement = `first batch of a new database, ${sizes.batch.toLocaleString('en-US')}, no latency`;
  return [
    result({ measurement, unit: 'messages/s', ours: spreadOf([run.rate]) }, { judge }),
    result(
      { measurement: 'CPU of Postgres in it, per 1,000', unit: 's', ours: spreadOf([run.costs.postgresCpu]) },
      { judge },
    ),
  ];
}

/** Zero latency, one batch, taking turns: noise that lasts longer than a run meets everybody. */
export async function compare(bench: BenchStack, organization: BenchOrganization, measuring: Measuring) {
  const { sizes, report, judge } = measuring;
  const given = { list: await measuring.list(sizes.batch), count: sizes.batch };
  const ours: LongwaveRun[] = [];
  const theirs = new Map<CompetitorName, Run[]>(rivals.map(({ name }) => [name, []]));
  for (let repetition = 1; repetition <= sizes.repetitions; repetition += 1) {
    // Every sender is a fresh process, so ours is, too.
    await bench.restartWorker();
    await bench.prepare({});
    const run = await runLongwave(bench, organization, given);
    ours.push(run);
    report(`#${repetition} Longwave: ${described(run)}; ${run.secondsFromRequest.toFixed(2)} s from the request`);
    for (const { name } of rivals) {
      await bench.prepare({});
      const rival = await runRival(bench, organization, { name, count: sizes.batch });
      theirs.get(name)!.push(rival);
      report(`#${repetition} ${name}: ${described(rival)}`);
    }
  }

  const results: Result[] = [];
  const size = sizes.batch.toLocaleString('en-US');
  const add = (comparison: Parameters<typeof result>[0]) => results.push(result(comparison, { judge }));
  for (const { name, against, aim } of rivals) {
    add({
      measurement: `one batch of ${size}, no latency`,
      against,
      unit: 'messages/s',
      ours: spreadOf(ours.map((run) => run.rate)),
      theirs: spreadOf(theirs.get(name)!.map((run) => run.rate)),
      aim,
    });
  }
  add({
    measurement: 'the same, creation of the recipients included',
    unit: 'messages/s',
    ours: spreadOf(ours.map((run) => run.messages / run.secondsFromRequest)),
  });
  const costs: readonly { of: keyof Reading; measurement: string; unit: string; scale: number }[] = [
    { of: 'senderCpu', measurement: 'CPU of the sending process, per 1,000', unit: 's', scale: 1 },
    { of: 'postgresCpu', measurement: 'CPU of Postgres, per 1,000', unit: 's', scale: 1 },
    { of: 'wal', measurement: 'Postgres write-ahead log, per 1,000', unit: 'kB', scale: 1e-3 },
  ];
  for (const { of, measurement, unit, scale } of costs) {
    for (const { name, against } of rivals) {
      // The loop has no Postgres: what is read then is the server's idling.
      if (name === 'SDK loop' && of !== 'senderCpu') continue;
      const values = (runs: readonly Run[]) => spreadOf(runs.map((run) => run.costs[of] * scale));
      add({ measurement, against, unit, ours: values(ours), theirs: values(theirs.get(name)!) });
    }
  }
  add({
    measurement: `Temporal history events of a batch of ${size}`,
    unit: 'events',
    ours: spreadOf(ours.map((run) => run.historyEvents)),
    aim: { most: 200, always: true },
  });
  return results;
}

/**
 * With a slow Twilio the limit is requests under way by the time each takes. The bare loop takes turns with ours: what it
 * misses of the limit, too, is lost in the machine and in the simulator.
 */
export async function withLatency(bench: BenchStack, organization: BenchOrganization, measuring: Measuring) {
  const { sizes, report, judge } = measuring;
  const latencyMs = 50;
  const given = { list: await measuring.list(sizes.batch), count: sizes.batch };
  const runs: LongwaveRun[] = [];
  const loops: Run[] = [];
  for (let repetition = 1; repetition <= sizes.repetitions; repetition += 1) {
    await bench.restartWorker();
    await bench.prepare({ latencyMs });
    const run = await runLongwave(bench, organization, given);
    report(`#${repetition} Longwave with ${latencyMs} ms of latency: ${described(run)}`);
    runs.push(run);
    await bench.prepare({ latencyMs });
    const loop = await runRival(bench, organization, { name: 'SDK loop', count: sizes.batch });
    report(`#${repetition} SDK loop with ${latencyMs} ms of latency: ${described(loop)}`);
    loops.push(loop);
  }
  const measurement = `one batch of ${sizes.batch.toLocaleString('en-US')}, ${latencyMs} ms of latency`;
  const ours = spreadOf(runs.map((run) => run.rate));
  const limit = spreadOf([bench.concurrency / (latencyMs / 1000)]);
  const unit = 'messages/s';
  return [
    result(
      { measurement, against: 'concurrency ÷ latency', unit, ours, theirs: limit, aim: { least: 0.9 } },
      { judge },
    ),
    result(
      { measurement, against: rivals[0]!.against, unit, ours, theirs: spreadOf(loops.map((run) => run.rate)) },
      { judge },
    ),
  ];
}

/** With status callbacks, as in life: two for each message, to the API, while the batch is being sent. */
export async function withCallbacks(bench: BenchStack, organization: BenchOrganization, measuring: Measuring) {
  const { sizes, report, judge } = measuring;
  const given = { list: await measuring.list(sizes.batch), count: sizes.batch };
  const runs: { rate: number; settled: number }[] = [];
  for (let repetition = 1; repetition <= sizes.repetitions; repetition += 1) {
    await bench.prepare({ callbacks: true });
    const startedAt = Date.now();
    const run = await runLongwave(bench, organization, given);
    await measuring.allDelivered(run.massSmsId, sizes.batch);
    const settled = (sizes.batch / (Date.now() - startedAt)) * 1000;
    report(
      `#${repetition} with callbacks: ${described(run)}; ${settled.toFixed(0)}/s until all are known as delivered`,
    );
    runs.push({ rate: run.rate, settled });
  }
  return [
    result(
      {
        measurement: 'the same batch with status callbacks, no latency',
        unit: 'messages/s',
        ours: spreadOf(runs.map((run) => run.rate)),
      },
      { judge },
    ),
    result(
      {
        measurement: 'from the request until all are known as delivered',
        unit: 'messages/s',
        ours: spreadOf(runs.map((run) => run.settled)),
      },
      { judge },
    ),
  ];
}

const described = ({ rate, seconds, costs }: Run): string =>
  `${rate.toFixed(0)}/s in ${seconds.toFixed(2)} s; per 1,000: CPU ${costs.senderCpu.toFixed(3)} s, ` +
  `Postgres ${costs.postgresCpu.toFixed(3)} s, simulator ${costs.simulatorCpu.toFixed(3)} s, ` +
  `WAL ${(costs.wal / 1000).toFixed(0)} kB`;
