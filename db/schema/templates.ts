/** The tables of templates and of what messages are about, as Kysely sees them. */
import type { ColumnType } from 'kysely';
import type { Purpose } from '../../domain/purpose.ts';

interface Stamped {
  id: string;
  organization_id: string;
  created_at: Date;
  updated_at: Date;
  /** The name or title in lower case: what lists are sorted by. */
  name_key: ColumnType<string, never, never>;
}

export interface TemplateTables {
  templates: Stamped & {
    name: string;
    body: string;
    purpose: Purpose;
    career_site_id: string | null;
    published: boolean;
  };
  marketing_campaigns: Stamped & { name: string; code: string; landing_page_url: string | null; published: boolean };
  talent_networks: Stamped & { name: string; join_url: string };
  career_sites: Stamped & { name: string; url: string };
  career_site_pages: Stamped & { career_site_id: string; title: string; url: string };
  career_site_jobs: Stamped & {
    career_site_id: string;
    title: string;
    reference: string;
    url: string;
    confidential: boolean;
  };
}

/** What a mass SMS was made with, as columns of its row. */
export interface MassSmsOrigin {
  template_id: string | null;
  marketing_campaign_id: string | null;
  talent_network_id: string | null;
  career_site_id: string | null;
  page_id: string | null;
  job_id: string | null;
}

/** What else is a column of a mass SMS. */
export interface MassSmsMore extends MassSmsOrigin {
  auto_respond_template_id: string | null;
  /** Only codes of the contact are left in it. */
  auto_respond_body: string | null;
  auto_respond_purpose: Purpose | null;
  /** What the list by name is sorted by. */
  name_key: ColumnType<string, never, never>;
}
