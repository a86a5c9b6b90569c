import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, readConfig, variables } from '../config.ts';
import { run } from './launcher/processes.ts';

const root = path.join(import.meta.dirname, '..');

describe('the environment', () => {
  it('is refused variable by variable, each with its state and its shape in our words', () => {
    const wrong = Object.fromEntries(variables.map((name) => [name, '\u0000 no such thing \u0000']));
    let message = '';
    try {
      readConfig(variables, { ...wrong, DATABASE_URL: '' });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      message = (error as Error).message;
    }
    const [heading, ...lines] = message.split('\n');
    expect(heading).toBe('The environment cannot be used:');
    expect(lines).toContain(
      '  DATABASE_URL is missing: it should be a Postgres address such as postgres://user:password@host:5432/longwave',
    );
    expect(lines).toContain('  SEND_CONCURRENCY is malformed: it should be a whole number from 1 to 1000');
    expect(lines).toContain('  WEBHOOKS_TO_LOOPBACK is malformed: it should be true or false');
    for (const line of lines) expect(line).not.toMatch(/invalid|expected|received|undefined/i);
  });

  it('takes ports and counts as plain digits only', () => {
    for (const value of ['0x50', '8e1', ' 80', '80.0', '-80', '0', '65536'])
      expect(() => readConfig(['PORT'], { PORT: value }), value).toThrow('PORT is malformed');
    expect(readConfig(['PORT'], { PORT: '80' })).toEqual({ PORT: 80 });
  });

  it('wants a certificate and its key together', () => {
    const pair = ['TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'] as const;
    for (const [given, missing] of [pair, pair.toReversed()] as const)
      expect(() => readConfig(pair, { [given]: 'a.pem' })).toThrow(`${missing} is missing: ${given} needs it`);
    expect(readConfig(pair, { TEMPORAL_TLS_CERT: 'a.pem', TEMPORAL_TLS_KEY: 'b.pem' })).toMatchObject({
      TEMPORAL_TLS_KEY: 'b.pem',
    });
    expect(readConfig(pair, {})).toEqual({});
  });

  it.each([
    ['worker/main.ts', { SEND_CONCURRENCY: 'many' }, 'SEND_CONCURRENCY is malformed'],
    ['api/main.ts', { PRICE_SEGMENT_USD: 'cheap' }, 'PRICE_SEGMENT_USD is malformed'],
    ['db/migrate.ts', { DATABASE_URL: 'mysql://here' }, 'DATABASE_URL is malformed'],
    ['simulator/main.ts', { SIMULATOR_PORT: 'high' }, 'SIMULATOR_PORT is malformed'],
  ])('%s that cannot use it says so without a stack and ends with 1', async (program, env, message) => {
    const started = run(process.execPath, [path.join(root, program)], { PATH: process.env['PATH'], ...env }, root);
    expect(await started.ended).toEqual({ code: 1, signal: null });
    expect(started.output()).toContain(message);
    expect(started.output()).not.toMatch(/^ +at /m);
  });
});
