/** Who is told what: written as emails in the transaction of what they tell of. */
import { queueEmail } from '../../db/notifications/emails.ts';
import type { Trx } from '../../db/database.ts';
import { changeOfState } from '../../email/registration.ts';
import type { Registration, RegistrationDeps } from './deps.ts';

interface Notice {
  /** What it is about; the same is told once. */
  key: string;
  subject: string;
  text: string;
  at: Date;
}

const queue = (trx: Trx, { organization }: Registration, recipient: string, { key, subject, text, at }: Notice) =>
  queueEmail(trx, { organizationId: organization.id, key: `${key}:${recipient}`, recipient, subject, body: text, at });

/** To the operator and nobody else: what went wrong is theirs to mend (A7). @returns whether it had not been told yet */
export async function tellOperator(
  trx: Trx,
  { operatorEmail }: RegistrationDeps,
  registration: Registration,
  notice: Notice,
): Promise<boolean> {
  return queue(trx, registration, operatorEmail, notice);
}

/** To the address the questionnaire names, or else the operator: that something is on its way, or done. */
export async function tellOfChange(
  trx: Trx,
  { operatorEmail }: RegistrationDeps,
  registration: Registration,
  { key, at, what, next }: Pick<Notice, 'key' | 'at'> & { what: string; next: string },
): Promise<void> {
  const text = changeOfState({ organization: registration.organization.name, what, next });
  await queue(trx, registration, registration.intake.notificationEmail ?? operatorEmail, { key, at, ...text });
}

/** To the representative, and to the brand's contact if that is another. @returns whether anybody had not been told yet */
export async function tellRepresentative(trx: Trx, registration: Registration, notice: Notice): Promise<boolean> {
  const { representative, brandContactEmail } = registration.intake;
  let isNew = false;
  for (const recipient of new Set([representative.email, brandContactEmail ?? representative.email])) {
    isNew = (await queue(trx, registration, recipient, notice)) || isNew;
  }
  return isNew;
}
