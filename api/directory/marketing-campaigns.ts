/** Marketing campaigns: what mass SMS and landing pages belong to; never the campaign that is registered with carriers. */
import { z } from 'zod';
import { id } from '../shared/schemas.ts';
import { routesOf } from './routes.ts';
import { nameText, publicAddress, stamps, toStamps } from './schemas.ts';

const fields = {
  name: nameText(200).meta({ examples: ['Spring hiring'] }),
  code: nameText(50).meta({ description: 'Short, for reports', examples: ['SPRING-27'] }),
  landingPageUrl: publicAddress.nullable(),
  published: z.boolean().meta({ description: 'Until then no message may lead to its landing page' }),
};

const marketingCampaign = z
  .object({
    id: id('marketingCampaign'),
    name: z.string(),
    code: z.string(),
    landingPageUrl: z.string().nullable(),
    published: z.boolean(),
    ...stamps,
  })
  .meta({ id: 'MarketingCampaign' });

const remedy = 'use another one, or change that campaign';

export const marketingCampaignRoutes = routesOf({
  table: 'marketing_campaigns',
  kind: 'marketingCampaign',
  names: { one: 'marketing campaign', many: 'marketing campaigns' },
  tag: 'Directory',
  path: '/marketing-campaigns',
  fields,
  defaults: { landingPageUrl: fields.landingPageUrl.default(null), published: fields.published.default(false) },
  answer: marketingCampaign,
  toColumns: ({ landingPageUrl, ...same }) => ({
    ...same,
    ...(landingPageUrl !== undefined && { landing_page_url: landingPageUrl }),
  }),
  toAnswer: (row) => ({
    id: row.id,
    name: row.name,
    code: row.code,
    landingPageUrl: row.landing_page_url,
    published: row.published,
    ...toStamps(row),
  }),
  taken: {
    marketing_campaigns_name: { reason: 'name_taken', detail: `Another marketing campaign has this name: ${remedy}.` },
    marketing_campaigns_code: { reason: 'code_taken', detail: `Another marketing campaign has this code: ${remedy}.` },
  },
});
