/** Career sites, and the pages on them. */
import { z } from 'zod';
import { id } from '../shared/schemas.ts';
import { routesOf } from './routes.ts';
import { nameText, publicAddress, stamps, toStamps } from './schemas.ts';

const careerSite = z
  .object({ id: id('careerSite'), name: z.string(), url: z.string(), ...stamps })
  .meta({ id: 'CareerSite' });

export const careerSiteRoutes = routesOf({
  table: 'career_sites',
  kind: 'careerSite',
  names: { one: 'career site', many: 'career sites' },
  tag: 'Directory',
  path: '/career-sites',
  fields: { name: nameText(200).meta({ examples: ['Acme careers'] }), url: publicAddress },
  answer: careerSite,
  toColumns: (fields) => fields,
  toAnswer: (row) => ({ id: row.id, name: row.name, url: row.url, ...toStamps(row) }),
  taken: {
    career_sites_name: {
      reason: 'name_taken',
      detail: 'Another career site has this name: use another one, or change that site.',
    },
  },
});

const page = z
  .object({ id: id('page'), careerSiteId: id('careerSite'), title: z.string(), url: z.string(), ...stamps })
  .meta({ id: 'CareerSitePage' });

export const careerSitePageRoutes = routesOf({
  table: 'career_site_pages',
  kind: 'page',
  names: { one: 'page', many: 'the pages of a career site' },
  tag: 'Directory',
  path: '/pages',
  isOfCareerSite: true,
  fields: { title: nameText(200).meta({ examples: ['Nursing'] }), url: publicAddress },
  answer: page,
  toColumns: (fields) => fields,
  toAnswer: (row) => ({
    id: row.id,
    careerSiteId: row.career_site_id,
    title: row.title,
    url: row.url,
    ...toStamps(row),
  }),
  taken: {
    career_site_pages_title: {
      reason: 'title_taken',
      detail: 'Another page of this career site has this title: use another one, or change that page.',
    },
  },
});
