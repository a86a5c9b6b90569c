import { Client, Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { withClient } from '../../launcher/postgres.ts';
import { cloneDatabase, freshNamespace } from '../harness/infrastructure.ts';

test('databases cloned at the same moment are migrated and separate', async () => {
  const databases = await Promise.all([cloneDatabase(), cloneDatabase(), cloneDatabase()]);
  for (const { url } of databases) {
    await withClient(url, async (client) => {
      const { rows } = await client.query('select count(*)::int as count from organizations');
      expect(rows).toEqual([{ count: 0 }]);
      await client.query('create table only_here ()');
    });
  }
  await Promise.all(databases.map((database) => database.release()));
});

test('a fresh namespace takes workflows and lists them at once', async () => {
  const { address, namespace } = await freshNamespace();
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection, namespace });
  const handle = await workflow.start('nothing', { taskQueue: 'nobody', workflowId: 'one' });
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await expect(workflow.count()).resolves.toBeDefined();
  await connection.close();
});
