/** One status row per message, as a product on a job queue would keep it. */
import { type ClientBase, Pool } from 'pg';

/** Anything that runs one statement. */
type Runner = Pick<ClientBase, 'query'>;

/**
 * Makes the table with a row for each message. Room on each page for the update to stay on it and touch no index, as the
 * product's own table has.
 */
export async function createStatusTable(databaseUrl: string, count: number): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  try {
    await pool.query('drop table if exists message_status');
    await pool.query(`
      create table message_status (
        id int primary key, recipient text not null, body text not null, status text not null,
        twilio_sid text, accepted_at timestamptz
      ) with (fillfactor = 60)`);
    await pool.query(
      `insert into message_status (id, recipient, body, status)
       select i, '+1303' || (2000000 + i),
         'Bench 123456789: Hi First' || i || ', we are hiring nearby. Reply STOP to opt out.', 'queued'
       from generate_series(0, $1::int - 1) i`,
      [count],
    );
    await pool.query('analyze message_status');
  } finally {
    await pool.end();
  }
}

/** Writes what became of one message: one prepared statement in a transaction of its own, durable when it answers. */
export async function writeStatus(runner: Runner, id: number, sid: string): Promise<void> {
  await runner.query({
    name: 'write-status',
    text: `update message_status set status = 'accepted', twilio_sid = $2, accepted_at = now() where id = $1`,
    values: [id, sid],
  });
}

/** @throws when a message has no outcome: then the run does not count */
export async function requireAllWritten(runner: Runner): Promise<void> {
  const { rows } = await runner.query<{ left: string }>(
    `select count(*) as left from message_status where status <> 'accepted'`,
  );
  if (Number(rows[0]?.left) !== 0) throw new Error(`${rows[0]?.left} messages have no outcome`);
}
