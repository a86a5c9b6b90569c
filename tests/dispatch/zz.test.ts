import { expect, it } from 'vitest';
import { claimMessages, writeResults } from '../../db/outgoing.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { openFixture } from './fixture.ts';
it('deadlocks?', async () => {
  const fixture = await openFixture();
  const acme = await fixture.organization();
  let dead: Record<string, number> = {};
  const now = new Date();
  for (let round = 0; round < 12; round++) {
    const mass = await fixture.massSms(acme, 2000);
    await fixture.in(acme, (trx) => claimMessages(trx, mass.range, { attemptId: 'a', limit: 2000, now }));
    const count = (name: string) => (e: any) => { const k = name + ':' + (e.code ?? e.message); dead[k] = (dead[k] ?? 0) + 1; };
    const jobs: Promise<unknown>[] = [];
    for (let i = 0; i < 2000; i += 250) {
      const part = mass.messages.slice(i, i + 250);
      jobs.push(fixture.in(acme, (trx) => writeResults(trx, { attemptId: 'a', now, results: part.map((m) => ({ id: m.id, status: 'accepted' as const, sid: 'SM' + m.id, errorCode: null, segments: 1 })) })).catch(count('write')));
      const shuffled = part.toSorted(() => Math.random() - 0.5);
      jobs.push(fixture.in(acme, (trx) => applyStatusReports(trx, shuffled.map((m) => ({ messageId: m.id, sid: 'SM' + m.id, status: 'sent' as const, errorCode: null, at: now })))).catch(count('report')));
    }
    await Promise.all(jobs);
  }
  console.log('DEAD', dead);
  await fixture.close();
});
