/** I2: Postgres itself keeps organizations apart, in every table there is. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../db/database.ts';
import { cloneDatabase, type ClonedDatabase } from '../harness/infrastructure.ts';
import { fillTenant, type TenantRows } from './tenant-rows.ts';

let own: ClonedDatabase;
let database: Database;
let owner: Client;
let app: Client;
let a: TenantRows;
let b: TenantRows;

interface Table {
  name: string;
  /** The column that names the organization. */
  column: string;
  privileges: string[];
  partition: boolean;
}
let tables: Table[];

beforeAll(async () => {
  own = await cloneDatabase();
  database = openDatabase(own.url);
  a = await fillTenant(database, 'Alpha', '+14155550101');
  b = await fillTenant(database, 'Beta', '+14155550102');
  owner = new Client({ connectionString: own.url });
  app = new Client({ connectionString: own.url, options: '-c role=longwave_app' });
  await owner.connect();
  await app.connect();
  const { rows } = await owner.query<Table>(`
    select c.relname as name, c.relispartition as partition,
      case when c.relname = 'organizations' then 'id' else 'organization_id' end as column,
      array(
        select privilege from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) privilege
        where has_table_privilege('longwave_app', c.oid, privilege)
      ) as privileges
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and (c.relname = 'organizations' or exists (
        select from pg_attribute where attrelid = c.oid and attname = 'organization_id' and not attisdropped))
    order by 1`);
  tables = rows;
});
afterAll(async () => {
  await owner.end();
  await app.end();
  await database.close();
  await own.release();
});

/** Runs as the application's role, in an organization or in none; always rolled back. */
async function as<T>(organization: string | null, work: (client: Client) => Promise<T>): Promise<T> {
  await app.query('begin');
  try {
    if (organization) await app.query(`select set_config('longwave.organization_id', $1, true)`, [organization]);
    return await work(app);
  } finally {
    await app.query('rollback');
  }
}

/** How many rows a statement read or changed, or that Postgres refused it for lack of a right. */
const outcome = (organization: string | null, statement: string, values: unknown[]): Promise<number | 'refused'> =>
  as(organization, async (client) => {
    try {
      return (await client.query(statement, values)).rowCount ?? 0;
    } catch (error) {
      if ((error as { code?: string }).code === '42501') return 'refused';
      throw error;
    }
  });

/** What each table answered, for tables where it is not among the answers allowed. */
async function offenders(
  allowed: readonly unknown[],
  attempt: (table: Table) => Promise<unknown>,
  which: (table: Table) => boolean = () => true,
): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of tables.filter(which)) {
    const answer = await attempt(table);
    if (!allowed.includes(answer)) found[table.name] = answer;
  }
  return found;
}

describe('in organization A, for every table that belongs to organizations', () => {
  test('the fixture has rows of both, so that nothing is proved by emptiness', async () => {
    expect(tables.length).toBeGreaterThan(15);
    for (const { organization } of [a, b]) {
      const empty = await offenders(
        // Of messages one that waits and one of a mass SMS.
        [1, 2],
        async ({ name, column }) =>
          Number(
            (await owner.query(`select count(*) from ${name} where ${column} = $1`, [organization])).rows[0].count,
          ),
        ({ partition }) => !partition,
      );
      expect(empty, 'add a row of these tables to tests/db/tenant-rows.ts').toEqual({});
    }
  });

  test('own rows are read', async () => {
    const hidden = await offenders(
      [1, 2],
      ({ name, column }) => outcome(a.organization, `select from ${name} where ${column} = $1`, [a.organization]),
      ({ privileges }) => privileges.includes('SELECT'),
    );
    expect(hidden).toEqual({});
  });

  test("none of B's rows is read", async () => {
    const leaks = await offenders([0, 'refused'], ({ name, column }) =>
      outcome(a.organization, `select from ${name} where ${column} = $1`, [b.organization]),
    );
    expect(leaks).toEqual({});
  });

  test('no row can be inserted for B', async () => {
    const leaks = await offenders(['refused'], async ({ name, column }) => {
      const { rows } = await owner.query(`select to_jsonb(t) as row from ${name} t where ${column} = $1 limit 1`, [
        b.organization,
      ]);
      if (rows.length === 0)
        return outcome(a.organization, `insert into ${name} (${column}) values ($1)`, [b.organization]);
      // All but what Postgres makes of the others.
      const { rows: columns } = await owner.query(
        `select string_agg(quote_ident(attname), ', ') as list from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
        [name],
      );
      const { list } = columns[0];
      return outcome(
        a.organization,
        `insert into ${name} (${list}) overriding system value
         select ${list} from jsonb_populate_record(null::${name}, $1)`,
        [JSON.stringify(rows[0].row)],
      );
    });
    expect(leaks).toEqual({});
  });

  test("none of B's rows is updated, and no own row is given to B", async () => {
    const changed = await offenders([0, 'refused'], ({ name, column }) =>
      outcome(a.organization, `update ${name} set ${column} = ${column} where ${column} = $1`, [b.organization]),
    );
    expect(changed).toEqual({});
    const given = await offenders(
      ['refused'],
      ({ name, column }) => outcome(a.organization, `update ${name} set ${column} = $1`, [b.organization]),
      ({ privileges }) => privileges.includes('UPDATE'),
    );
    expect(given).toEqual({});
  });

  test("none of B's rows is deleted", async () => {
    const leaks = await offenders([0, 'refused'], ({ name, column }) =>
      outcome(a.organization, `delete from ${name} where ${column} = $1`, [b.organization]),
    );
    expect(leaks).toEqual({});
  });
});

test('in no organization, no row of any organization is read or changed', async () => {
  for (const verb of ['select from', 'delete from']) {
    const leaks = await offenders([0, 'refused'], ({ name, column }) =>
      outcome(null, `${verb} ${name} where ${column} is not null`, []),
    );
    expect(leaks).toEqual({});
  }
});

test('what inOrganization sets ends with its transaction', async () => {
  await database.inOrganization(a.organization, async (trx) => {
    expect(await trx.selectFrom('contacts').select('first_name').execute()).toEqual([{ first_name: 'Alpha' }]);
  });
  await database.inOrganization('org_none', async (trx) => {
    expect(await trx.selectFrom('contacts').select('id').execute()).toEqual([]);
  });
});

test('row-level security is on wherever the application may do anything, and it may do nothing elsewhere', async () => {
  const { rows } = await owner.query(`
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and has_table_privilege('longwave_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
      and not c.relrowsecurity`);
  expect(rows).toEqual([]);
  const truncating = tables.filter(({ privileges }) =>
    privileges.some((name) => ['TRUNCATE', 'TRIGGER'].includes(name)),
  );
  expect(truncating).toEqual([]);
});

test('neither role can bypass row-level security, owns anything, or can become the other', async () => {
  const { rows: roles } = await owner.query(
    `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin from pg_roles where rolname like 'longwave\\_%' order by 1`,
  );
  const none = { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcanlogin: false };
  expect(roles).toEqual([
    { rolname: 'longwave_app', ...none },
    { rolname: 'longwave_system', ...none },
  ]);
  const { rows: owned } = await owner.query(
    `select relname from pg_class where relowner in (select oid from pg_roles where rolname like 'longwave\\_%')`,
  );
  expect(owned).toEqual([]);
  const { rows: members } = await owner.query(`
    select pg_has_role('longwave_app', 'longwave_system', 'MEMBER') as up,
      pg_has_role('longwave_system', 'longwave_app', 'MEMBER') as down`);
  expect(members).toEqual([{ up: false, down: false }]);
});

test('the audit log and the consent ledger cannot be changed or deleted by either role', async () => {
  const { rows } = await owner.query(`
    select role, name, privilege from unnest(array['longwave_app', 'longwave_system']) role,
      unnest(array['audit_log', 'consent_ledger']) name, unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) privilege
    where has_table_privilege(role, name, privilege)`);
  expect(rows).toEqual([]);
});
