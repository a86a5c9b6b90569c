/** Templates: texts that are written once, approved by being published, and sent often. */
import type { Purpose } from '../../domain/purpose.ts';
import type { Changes } from '../changes.ts';
import type { Trx } from '../database.ts';
import { findNamed, type NamedRow } from '../named.ts';

export type TemplateRow = NamedRow<'templates'>;

export interface TemplateFields {
  name: string;
  body: string;
  purpose: Purpose;
  careerSiteId: string | null;
  published: boolean;
}

export const templateColumns = ({ careerSiteId, ...same }: Changes<TemplateFields>) => ({
  ...same,
  ...(careerSiteId !== undefined && { career_site_id: careerSiteId }),
});

export const findTemplate = (trx: Trx, organizationId: string, id: string): Promise<TemplateRow | undefined> =>
  findNamed(trx, 'templates', { organizationId }, id);
