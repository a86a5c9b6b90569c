/** Talent networks: whom people join to hear of jobs to come. */
import { z } from 'zod';
import { id } from '../shared/schemas.ts';
import { routesOf } from './routes.ts';
import { nameText, publicAddress, stamps, toStamps } from './schemas.ts';

const talentNetwork = z
  .object({ id: id('talentNetwork'), name: z.string(), joinUrl: z.string(), ...stamps })
  .meta({ id: 'TalentNetwork' });

export const talentNetworkRoutes = routesOf({
  table: 'talent_networks',
  kind: 'talentNetwork',
  names: { one: 'talent network', many: 'talent networks' },
  tag: 'Directory',
  path: '/talent-networks',
  fields: { name: nameText(200).meta({ examples: ['Nurses of the Midwest'] }), joinUrl: publicAddress },
  answer: talentNetwork,
  toColumns: ({ joinUrl, ...same }) => ({ ...same, ...(joinUrl !== undefined && { join_url: joinUrl }) }),
  toAnswer: (row) => ({ id: row.id, name: row.name, joinUrl: row.join_url, ...toStamps(row) }),
  taken: {
    talent_networks_name: {
      reason: 'name_taken',
      detail: 'Another talent network has this name: use another one, or change that network.',
    },
  },
});
