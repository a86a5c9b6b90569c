/** What messages are about: marketing campaigns, talent networks, career sites with their pages and jobs. */
import type { FieldName, NamedThings } from '../../domain/mass-sms/fields.ts';
import type { Trx } from '../database.ts';
import { findNamed, type NamedRow, type NamedTable } from '../named.ts';

export type CareerSiteRow = NamedRow<'career_sites'>;

/** Ids by the fields of a message that name them. */
export type GivenIds = { readonly [Field in FieldName]?: string | undefined };

export const findCareerSite = (trx: Trx, organizationId: string, id: string): Promise<CareerSiteRow | undefined> =>
  findNamed(trx, 'career_sites', { organizationId }, id);

/** What the given ids name: null for what the organization has not; absent where none is given. */
export async function thingsNamed(trx: Trx, organizationId: string, given: GivenIds): Promise<NamedThings> {
  const find = async <T extends NamedTable>(table: T, id: string): Promise<NamedRow<T> | null> =>
    (await findNamed(trx, table, { organizationId }, id)) ?? null;
  const { marketingCampaignId, talentNetworkId, careerSiteId, pageId, jobId } = given;
  const things: NamedThings = {};
  if (marketingCampaignId !== undefined) {
    const row = await find('marketing_campaigns', marketingCampaignId);
    things.marketingCampaignId = row && { published: row.published, landingPageUrl: row.landing_page_url };
  }
  if (talentNetworkId !== undefined) {
    const row = await find('talent_networks', talentNetworkId);
    things.talentNetworkId = row && { joinUrl: row.join_url };
  }
  if (careerSiteId !== undefined) things.careerSiteId = await find('career_sites', careerSiteId);
  if (pageId !== undefined) {
    const row = await find('career_site_pages', pageId);
    things.pageId = row && { careerSiteId: row.career_site_id, url: row.url };
  }
  if (jobId !== undefined) {
    const row = await find('career_site_jobs', jobId);
    things.jobId = row && { ...row, careerSiteId: row.career_site_id };
  }
  return things;
}
