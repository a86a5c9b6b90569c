/** Whether the pages that a questionnaire names can be opened, as a reviewer would open them. */
import { EgressError, type Egress } from '../../egress.ts';
import type { IntakeDraft } from '../../domain/registration/intake.ts';
import type { PreflightContext, SiteCheck } from '../../domain/registration/preflight.ts';

/** Names that nobody can own (RFC 2606, RFC 6761): asking for them would only burden name servers. */
const reserved = /(^|\.)(example|test|invalid|localhost)\.?$/;

/** A function that opens a page and says whether it answered. It never throws. */
export function createSiteCheck(egress: Pick<Egress, 'get'>): (url: string) => Promise<SiteCheck> {
  return async (url) => {
    if (reserved.test(URL.parse(url)?.hostname ?? '')) {
      return { reachable: false, detail: 'its name is reserved, and belongs to nobody' };
    }
    try {
      const { status } = await egress.get(url);
      return { reachable: true, status };
    } catch (error) {
      return { reachable: false, detail: error instanceof EgressError ? error.message : 'no readable answer' };
    }
  };
}

/** All pages at once; null for those that are not named. */
export async function checkSites(
  { website, privacyPolicyUrl, termsUrl }: IntakeDraft,
  checkSite: (url: string) => Promise<SiteCheck>,
): Promise<NonNullable<PreflightContext['sites']>> {
  const check = async (url: string | undefined): Promise<SiteCheck | null> =>
    url === undefined ? null : checkSite(url);
  const [home, privacy, terms] = await Promise.all([check(website), check(privacyPolicyUrl), check(termsUrl)]);
  return { website: home, privacyPolicyUrl: privacy, termsUrl: terms };
}
