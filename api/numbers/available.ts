/** Searching the numbers on sale (B1): by place and pattern, and what to try instead when there are none. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Twilio } from 'twilio';
import { z } from 'zod';
import {
  alternatives,
  countries,
  type Country,
  countryNamedBy,
  criteriaErrors,
  lastResort,
  type NumberCriteria,
  type NumberQuery,
  type Suggestion,
} from '../../domain/numbers/search.ts';
import { parsePostalCode } from '../../domain/postal-codes.ts';
import { searchNumbers } from '../../twilio/available-numbers.ts';
import { invalid, Problem, problemAnswer } from '../shared/problems.ts';
import { ask } from '../shared/twilio-answers.ts';
import { accountOf } from './account.ts';

/** Alternatives looked for at Twilio before one answer, at once. */
const mostProbes = 6;

const criteria = {
  areaCode: z
    .string()
    .regex(/^\d{3}$/, 'must be three digits, such as 415')
    .optional()
    .meta({ examples: ['415'] }),
  region: z
    .string()
    .toUpperCase()
    .regex(/^[A-Z]{2}$/, 'must be the two letters of a state or province, such as CA or ON')
    .optional()
    .meta({ description: 'State or province', examples: ['CA'] }),
  postalCode: z
    .string()
    .max(20)
    .meta({ examples: ['94102'] })
    // What is none is told together with whatever else is wrong.
    .transform((written) => parsePostalCode(written)?.postalCode ?? written)
    .optional()
    .meta({ description: 'A ZIP code, or a Canadian postal code such as M5H 2N2' }),
  contains: z
    .string()
    .min(2, 'must be at least 2 characters')
    .max(16, 'must be at most 16 characters')
    .regex(/^[0-9A-Za-z*%]*$/, 'must consist of digits, letters, * for one digit and % for several')
    .regex(/[^*%]/, 'must have at least one digit or letter')
    .optional()
    .meta({
      description: 'A pattern: digits, letters as on the keys, `*` for one digit, `%` for several',
      examples: ['55**'],
    }),
};

// Strict: a criterion that is misspelt would find numbers anywhere.
const querystring = z.strictObject({
  country: z
    .string()
    .max(20)
    .toUpperCase()
    .optional()
    .meta({
      description: "US or CA; by default the organization's country, then that of the other criteria, then US",
      examples: ['US'],
    }),
  ...criteria,
  limit: z.coerce.number().int().min(1).max(50).default(20).meta({ description: 'How many, 1 to 50' }),
});

const found = z.object({
  items: z.array(
    z
      .object({
        phoneNumber: z.string(),
        areaCode: z.string(),
        locality: z.string().nullable(),
        region: z.string().nullable(),
        postalCode: z.string().nullable(),
      })
      .meta({ id: 'AvailableNumber' }),
  ),
  suggestions: z
    .array(
      z
        .object({
          reason: z.string().meta({ examples: ['Area code 510 is 8 miles away.'] }),
          query: z
            .object({
              country: z.enum(['US', 'CA']),
              areaCode: z.string().optional(),
              region: z.string().optional(),
              postalCode: z.string().optional(),
              contains: z.string().optional(),
            })
            .meta({ description: 'What to send here instead' }),
        })
        .meta({ id: 'NumberSuggestion' }),
    )
    .meta({ description: 'When nothing was found: other searches that find something, the nearest first' }),
});

/** @throws {Problem} 400 that names each criterion that does not exist, lies in another country, or contradicts another */
function queryOf(country: string | undefined, given: NumberCriteria, ofOrganization: string | null): NumberQuery {
  const chosen = country ?? ofOrganization ?? countryNamedBy(given) ?? 'US';
  if (!(chosen in countries)) {
    const message = `must be US or CA, where numbers are sold${country === undefined ? `: the organization is in ${chosen}, so name one of the two` : ''}`;
    throw invalid([{ path: 'country', message }]);
  }
  const query = { ...given, country: chosen as Country };
  const errors = criteriaErrors(query);
  if (errors.length > 0) throw invalid(errors);
  return query;
}

/** Offers only what Twilio has now. One that Twilio fails to answer is left out: the search itself went well. */
async function suggestionsFor(client: Twilio, query: NumberQuery): Promise<Suggestion[]> {
  const tried = await Promise.all(
    alternatives(query, mostProbes).map(async (suggestion) => {
      try {
        const [number] = await ask(searchNumbers(client, suggestion.query, 1));
        return number ? [suggestion] : [];
      } catch (error) {
        if (error instanceof Problem) return [];
        throw error;
      }
    }),
  );
  const offered = tried.flat();
  return offered.length > 0 ? offered : [lastResort(query)];
}

export const availableNumberRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/numbers/available',
    {
      config: { access: 'numbers:manage' },
      schema: {
        tags: ['Numbers'],
        summary: 'Search the numbers on sale',
        description: `In the organization's own Twilio account: local numbers that text and call and need no address. A search reserves nothing.
When it finds none, \`suggestions\` are searches that do find some; only when none of those tried does, one that is not
checked, which its reason says.`,
        querystring,
        response: { 200: found, 409: problemAnswer, 422: problemAnswer },
      },
    },
    async (request) => {
      const { country, limit, ...given } = request.query;
      const { client, organization } = await accountOf(request);
      const query = queryOf(country, given, organization.country);
      const items = await ask(searchNumbers(client, query, limit));
      return { items, suggestions: items.length > 0 ? [] : await suggestionsFor(client, query) };
    },
  );
};
