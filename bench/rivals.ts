/** Runs a competitor in a process of its own against the same simulator and the same Postgres server. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createDatabase } from '../launcher/postgres.ts';
import type { Answer, Ask, CompetitorName } from './competitor.ts';
import { firstAccepted, requireAll, type Run } from './longwave.ts';
import { costsPerThousand } from './measure.ts';
import type { BenchOrganization } from './organization.ts';
import type { BenchStack } from './stack.ts';

/** A run as ours is measured: from the first message accepted until the last outcome is where the competitor keeps it. */
export async function runRival(
  bench: BenchStack,
  organization: BenchOrganization,
  { name, count }: { name: CompetitorName; count: number },
): Promise<Run> {
  const { stack, simulatorUrl, concurrency, admin } = bench;
  const database = `bench_${name.replace(/\W/g, '_').toLowerCase()}`;
  // Each repetition begins on an empty database, as a fresh installation does.
  await admin.query(`drop database if exists ${database} with (force)`);
  await createDatabase(stack.databaseUrl, database);
  const databaseUrl = new URL(stack.databaseUrl);
  databaseUrl.pathname = `/${database}`;

  const child = fork(join(import.meta.dirname, 'competitor.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ask = async (what: Ask): Promise<Answer> => {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(600_000) });
    child.send(what);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other end is competitor.ts
    const [answer] = (await answered) as [Answer];
    if (answer.kind === 'failed') throw new Error(`${name}: ${answer.reason}`);
    return answer;
  };
  try {
    const pid = child.pid!;
    await ask({
      kind: 'install',
      name,
      task: {
        simulatorUrl,
        twilio: organization.twilio,
        callbackUrl: `${stack.api}/twilio/messages`,
        count,
        concurrency,
        databaseUrl: databaseUrl.href,
      },
    });
    const before = await bench.meter.read(pid);
    await ask({ kind: 'load' });
    const loaded = await bench.meter.read(pid);
    const done = await ask({ kind: 'run' });
    const after = await bench.meter.read(pid);
    const seconds = ((done.kind === 'done' ? done.at : Number.NaN) - (await firstAccepted(bench, organization))) / 1000;
    await requireAll(bench, organization, count);
    await ask({ kind: 'close' });
    // Our API creates the recipients, not our worker: so the sender's CPU counts from when the jobs are there.
    const { senderCpu } = costsPerThousand(loaded, after, count);
    const costs = { ...costsPerThousand(before, after, count), senderCpu };
    return { messages: count, seconds, rate: count / seconds, costs };
  } finally {
    child.kill('SIGKILL');
  }
}
