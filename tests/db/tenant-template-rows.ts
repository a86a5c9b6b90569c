/** The part of a tenant's rows that is about templates and what messages are about. */
import type { Db } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';

const kinds = ['template', 'marketingCampaign', 'talentNetwork', 'careerSite', 'page', 'job'] as const;
export type TemplateIds = (typeof kinds)[number];

export const newTemplateIds = (at: Date) =>
  Object.fromEntries(kinds.map((kind) => [kind, newId(kind, at)])) as Record<TemplateIds, string>;

interface Tenant {
  organization: string;
  ids: Record<TemplateIds, string>;
  name: string;
  at: Date;
}

/** One row of each table, all of them usable: the campaign and the template are published. */
export async function fillTemplates(db: Db, { organization, ids, name, at }: Tenant): Promise<void> {
  const row = (id: string) => ({ id, organization_id: organization, created_at: at, updated_at: at });
  const secret = `${name} secret`;
  const url = `https://${name.toLowerCase()}.example/${name}%20secret`;
  await db
    .insertInto('marketing_campaigns')
    .values({ ...row(ids.marketingCampaign), name: secret, code: secret, landing_page_url: url, published: true })
    .execute();
  await db
    .insertInto('talent_networks')
    .values({ ...row(ids.talentNetwork), name: secret, join_url: url })
    .execute();
  await db
    .insertInto('career_sites')
    .values({ ...row(ids.careerSite), name: secret, url })
    .execute();
  const onSite = { career_site_id: ids.careerSite, title: secret, url };
  await db
    .insertInto('career_site_pages')
    .values({ ...row(ids.page), ...onSite })
    .execute();
  await db
    .insertInto('career_site_jobs')
    .values({ ...row(ids.job), ...onSite, reference: secret, confidential: false })
    .execute();
  await db
    .insertInto('templates')
    .values({
      ...row(ids.template),
      name: secret,
      body: `${secret} {{job.title}}`,
      purpose: 'promotional',
      career_site_id: ids.careerSite,
      published: true,
    })
    .execute();
}
