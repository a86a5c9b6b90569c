/** The daily digest of notifications: written when it is due, one email for each user (G3). */
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { writeDueDigests } from '../db/notifications/digests.ts';
import { digestEmail } from '../email/digest.ts';

export type DigestActivities = ReturnType<typeof createDigestActivities>;

interface DigestDeps {
  database: Database;
  clock: Clock;
  /** Where the product is shown. */
  publicUrl: string;
  /** Sends an organization's emails that are due; never throws. */
  sendEmails: (organizationId: string) => void;
}

export function createDigestActivities({ database, clock, publicUrl, sendEmails }: DigestDeps) {
  const link = `${publicUrl}/notifications`;
  return {
    /**
     * Sends the digest of an organization if it is due, in one transaction with the mark that it was.
     *
     * @returns RFC 3339, when the next one is due; null when nothing waits for it
     */
    async sendDigest({ organizationId }: { organizationId: string }): Promise<{ nextAt: string | null }> {
      await clock.sync();
      const nextAt = await database.inOrganization(organizationId, (trx) =>
        writeDueDigests(trx, organizationId, { now: clock.now(), email: (digest) => digestEmail({ ...digest, link }) }),
      );
      if (nextAt === null) sendEmails(organizationId);
      return { nextAt: nextAt?.toISOString() ?? null };
    },
  };
}
