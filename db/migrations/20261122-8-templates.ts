/** Templates, and the directory of what messages are about: campaigns, talent networks, career sites, pages, jobs (F2). */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  // All are found by the beginning of their name, whatever its case: compared byte by byte, for which an index serves. A
  // column and not an expression: under row-level security an index cannot look for what lower() makes.
  await sql`
    create table marketing_campaigns (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      name_key text collate "C" not null generated always as (lower(name)) stored,
      code text not null,
      landing_page_url text,
      published boolean not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create unique index marketing_campaigns_name on marketing_campaigns (organization_id, name_key);
    create unique index marketing_campaigns_code on marketing_campaigns (organization_id, (lower(code) collate "C"));

    create table talent_networks (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      name_key text collate "C" not null generated always as (lower(name)) stored,
      join_url text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create unique index talent_networks_name on talent_networks (organization_id, name_key);

    create table career_sites (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      name_key text collate "C" not null generated always as (lower(name)) stored,
      url text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create unique index career_sites_name on career_sites (organization_id, name_key);

    create table career_site_pages (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      career_site_id text collate "C" not null references career_sites,
      title text not null,
      name_key text collate "C" not null generated always as (lower(title)) stored,
      url text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create unique index career_site_pages_title on career_site_pages (career_site_id, name_key);

    create table career_site_jobs (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      career_site_id text collate "C" not null references career_sites,
      title text not null,
      name_key text collate "C" not null generated always as (lower(title)) stored,
      -- The number of the requisition: titles repeat.
      reference text not null,
      url text not null,
      -- To who lacks jobs:confidential there is no such job.
      confidential boolean not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create index career_site_jobs_title on career_site_jobs (career_site_id, name_key, id);
    create unique index career_site_jobs_reference on career_site_jobs (career_site_id, (lower(reference) collate "C"));

    create table templates (
      id text collate "C" primary key,
      organization_id text collate "C" not null references organizations,
      name text not null,
      name_key text collate "C" not null generated always as (lower(name)) stored,
      body text not null,
      purpose text not null check (purpose in ('transactional', 'promotional')),
      -- The site it is for: messages made with it need not name one.
      career_site_id text collate "C" references career_sites,
      published boolean not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    );
    create unique index templates_name on templates (organization_id, name_key);

    -- What a mass SMS was made with.
    alter table mass_sms
      add column template_id text collate "C" references templates,
      add column marketing_campaign_id text collate "C" references marketing_campaigns,
      add column talent_network_id text collate "C" references talent_networks,
      add column career_site_id text collate "C" references career_sites,
      add column page_id text collate "C" references career_site_pages,
      add column job_id text collate "C" references career_site_jobs;
  `.execute(db);

  for (const table of [
    'templates',
    'marketing_campaigns',
    'talent_networks',
    'career_sites',
    'career_site_pages',
    'career_site_jobs',
  ]) {
    await grantTenantTable(db, table, { privileges: 'select, insert, update' });
  }
}
