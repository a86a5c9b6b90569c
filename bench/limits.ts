/** What must not be exceeded: an organization's throughput, and a worker's memory. */
import { addContacts, benchOrganization, type BenchOrganization } from './organization.ts';
import { runLongwave } from './longwave.ts';
import { peakMemory, resetPeakMemory, spreadOf } from './measure.ts';
import type { Measuring } from './plan.ts';
import { result } from './results.ts';
import type { BenchStack } from './stack.ts';

/** A standard brand with a trust score of 75 to 100. */
const rate = 225;

/**
 * Segments accepted per second over every stretch of `pacingSeconds` within a batch: the slowest shows idling, the
 * fastest overrunning.
 */
export async function pacing(bench: BenchStack, { sizes, judge, report }: Measuring) {
  const { pacingSeconds } = sizes;
  const count = rate * (pacingSeconds + 5);
  const organization = await benchOrganization(bench, { rate, largest: count });
  const list = await addContacts(bench, organization, count);
  await bench.prepare({});
  await runLongwave(bench, organization, { list, count });
  const { items } = await bench.control.messages({ accountSid: organization.twilio.accountSid, limit: count });
  const times = items.map(({ acceptedAt }) => Date.parse(acceptedAt));
  const rates = ratesOver(times, pacingSeconds);
  report(`pacing at ${rate} segments/s: ${rates.min.toFixed(1)} to ${rates.max.toFixed(1)} over ${pacingSeconds} s`);
  return [
    result(
      {
        measurement: `pacing over ${pacingSeconds} s, slowest and fastest stretch`,
        against: "the organization's throughput",
        unit: 'segments/s',
        ours: rates,
        theirs: spreadOf([rate]),
        // The bucket holds a second's worth, so a stretch may begin with one; a little for the edges of seconds.
        aim: { least: 0.97, most: (pacingSeconds + 1.2) / pacingSeconds, always: true },
      },
      { judge },
    ),
  ];
}

/** @param times epoch milliseconds, ascending */
function ratesOver(times: readonly number[], seconds: number) {
  const rates: number[] = [];
  const last = times.at(-1)!;
  let end = 0;
  for (const [index, from] of times.entries()) {
    if (from + seconds * 1000 > last) break;
    while (times[end]! < from + seconds * 1000) end += 1;
    rates.push((end - index) / seconds);
  }
  return spreadOf(rates);
}

/** The most memory a fresh worker holds during one batch: what grows with the number of recipients would show. */
export async function memory(bench: BenchStack, organization: BenchOrganization, measuring: Measuring) {
  const { sizes, report, judge } = measuring;
  const peaks: number[] = [];
  for (const count of sizes.memory) {
    const list = await measuring.list(count);
    await bench.restartWorker();
    await bench.prepare({});
    resetPeakMemory(bench.workerPid());
    const atRest = peakMemory(bench.workerPid());
    await runLongwave(bench, organization, { list, count });
    const peak = peakMemory(bench.workerPid());
    report(`worker memory with ${count} recipients: ${peak.toFixed(0)} MB at most, ${atRest.toFixed(0)} MB before`);
    peaks.push(peak);
  }
  const [small, large] = peaks as [number, number];
  const words = sizes.memory.map((count) => count.toLocaleString('en-US'));
  return [
    result(
      {
        measurement: `worker memory, ${words[1]} recipients`,
        against: `${words[0]} recipients`,
        unit: 'MB',
        ours: spreadOf([large]),
        theirs: spreadOf([small]),
      },
      { judge },
    ),
  ];
}
