/** A competitor's process: installs what it is told, adds its jobs, and runs when asked. Started by `rivals.ts`. */
import { reasonOf } from '../launcher/support/errors.ts';
import { graphileWorker } from './competitors/graphile-worker.ts';
import { pgBoss } from './competitors/pg-boss.ts';
import { sdkLoop } from './competitors/sdk-loop.ts';
import type { Competitor, Task } from './competitors/sender.ts';

const competitors = { 'SDK loop': sdkLoop, 'graphile-worker': graphileWorker, 'pg-boss': pgBoss };

export type CompetitorName = keyof typeof competitors;

/** What it is asked. */
export type Ask =
  { kind: 'install'; name: CompetitorName; task: Task } | { kind: 'load' } | { kind: 'run' } | { kind: 'close' };

/** What it answers, in the same order. */
export type Answer =
  { kind: 'installed' | 'loaded' | 'closed' } | { kind: 'done'; at: number } | { kind: 'failed'; reason: string };

let competitor: Competitor | undefined;

async function obey(ask: Ask): Promise<Answer> {
  switch (ask.kind) {
    case 'install':
      competitor = await competitors[ask.name](ask.task);
      return { kind: 'installed' };
    case 'load':
      await competitor?.load();
      return { kind: 'loaded' };
    case 'run':
      await competitor?.run();
      return { kind: 'done', at: Date.now() };
    case 'close':
      await competitor?.close();
      return { kind: 'closed' };
  }
}

process.on('message', (ask: Ask) => {
  obey(ask).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ kind: 'failed', reason: reasonOf(error) } satisfies Answer),
  );
});
process.on('disconnect', () => process.exit(0));
