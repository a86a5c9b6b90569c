/** Field types of what is found by name. */
import { z } from 'zod';
import { parsePage } from '../../domain/registration/preflight/domains.ts';
import { instant, text, webAddress } from '../shared/schemas.ts';

/** One line: lists are sorted by it, and a line break in it can only be a mistake. */
export const nameText = (max: number) => text(max).regex(/^\P{Cc}*$/u, 'must be one line');

/** A name that becomes a part of messages: what is filled in for a merge code is not looked through for others. */
export const titleText = (max: number) =>
  nameText(max).refine((title) => !/\{\{|\}\}/.test(title), 'must not hold merge codes: leave {{ and }} out');

/** What a phone would end a link at, or show as something else, as links write it. */
const asLink = (address: string): string =>
  /^[\w.~:/?#[\]@!$&'()*+,;=%-]*$/.test(address)
    ? address
    : new URL(address).href.replaceAll(/[^\w.~:/?#[\]@!$&'()*+,;=%-]/g, (character) => encodeURIComponent(character));

/** A page that whoever gets a message with it can open. */
export const publicAddress = webAddress
  .transform((written, context) => {
    const page = parsePage(written);
    const link = asLink(written);
    if (page.ok && link.length <= 2_000) return link;
    const message = page.ok
      ? 'must be at most 2,000 characters as a link'
      : `${page.problem}: it opens for nobody else`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ description: 'An address that everybody can open', examples: ['https://jobs.acme.example/nurses'] });

export const stamps = { createdAt: instant, updatedAt: instant };

export const toStamps = ({ created_at: createdAt, updated_at: updatedAt }: { created_at: Date; updated_at: Date }) => ({
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});
