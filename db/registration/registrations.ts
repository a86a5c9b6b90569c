/** Where each organization's registration stands, and how it got there. */
import type { Updateable } from 'kysely';
import type { Explanation } from '../../domain/registration/rejections.ts';
import type { IntakeDraft } from '../../domain/registration/intake.ts';
import type {
  BrandStatus,
  CampaignStatus,
  MessagingServiceStatus,
  Party,
  RegistrationState,
} from '../../domain/registration/status.ts';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { notify, usersWith } from '../notifications/notifications.ts';
import type { RegistrationSubject } from '../schema/registration.ts';
import type { RegistrationRow, Schema } from '../schema.ts';

/** The registration of the transaction's organization, or undefined. `lock` keeps others from changing it meanwhile. */
export async function findRegistration(
  trx: Trx,
  organizationId: string,
  { lock = false } = {},
): Promise<RegistrationRow | undefined> {
  const query = trx.selectFrom('registrations').selectAll().where('organization_id', '=', organizationId);
  return (lock ? query.forUpdate() : query).executeTakeFirst();
}

/** The registration, locked; an empty draft is made of it when there is none. */
export async function openRegistration(trx: Trx, organizationId: string, at: Date): Promise<RegistrationRow> {
  await trx
    .insertInto('registrations')
    .values({ id: newId('registration', at), organization_id: organizationId, created_at: at, updated_at: at })
    .onConflict((conflict) => conflict.column('organization_id').doNothing())
    .execute();
  return (await findRegistration(trx, organizationId, { lock: true }))!;
}

export async function saveIntake(trx: Trx, organizationId: string, intake: IntakeDraft, at: Date): Promise<void> {
  await trx
    .updateTable('registrations')
    .set({ intake: JSON.stringify(intake), updated_at: at })
    .where('organization_id', '=', organizationId)
    .execute();
}

/** What happened, who did it, and whose turn it is now. */
export interface TimelineEntry {
  organizationId: string;
  subject: RegistrationSubject;
  /** `snake_case`, past tense. */
  event: string;
  /** `user:usr_…`, `organization:key_…`, `operator:key_…`, `representative`, `twilio`, `carriers` or `longwave`. */
  actor: string;
  /** One sentence for people. */
  detail: string;
  awaiting: Party;
  at: Date;
}

export async function addToTimeline(trx: Trx, entry: TimelineEntry): Promise<void> {
  const { organizationId, ...rest } = entry;
  await trx
    .insertInto('registration_timeline')
    .values({ id: newId('timelineEntry', entry.at), organization_id: organizationId, ...rest })
    .execute();
  await tellOfEntry(trx, entry);
}

/**
 * Notifies those who manage the registration (G2). What the operator has to mend is told to the operator alone, by email:
 * a rejection must not reach the customer (A7).
 */
async function tellOfEntry(trx: Trx, { organizationId, awaiting, detail, at }: TimelineEntry): Promise<void> {
  if (awaiting === 'operator') return;
  const users = await usersWith(trx, organizationId, { permission: 'registration:manage' });
  const registration = users.length > 0 && (await findRegistration(trx, organizationId));
  if (!registration) return;
  const notice = { title: detail.replace(/\.$/, ''), body: nextStep[awaiting], subject: registration.id, at };
  await notify(trx, users, { organizationId, kind: 'registration.changed', ...notice });
}

const nextStep: Readonly<Record<Exclude<Party, 'operator'>, string>> = {
  organization: 'Next, somebody of your organization has something to do: GET /v1/registration says what.',
  representative: 'Next, the authorized representative has to follow the link that was sent by email.',
  twilio: 'Next, Twilio and the registry go on with it; there is nothing to do for you.',
  carriers: 'Next, the carriers decide; there is nothing to do for you.',
  nobody: 'There is nothing more to do.',
};

/** In the order in which it happened. */
export function timelineOf(trx: Trx, organizationId: string) {
  return trx
    .selectFrom('registration_timeline')
    .select(['at', 'subject', 'event', 'actor', 'detail', 'awaiting'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
}

interface Change<Status> {
  status: Status;
  /** Why, when it failed. */
  reasons?: Explanation[];
  /** The timeline's entry; its event is the status. */
  actor: string;
  detail: string;
  awaiting: Party;
  at: Date;
}

/** Where a part of the registration stands, and the columns that are to say so. */
interface Move {
  subject: RegistrationSubject;
  from: string;
  columns: Updateable<Schema['registrations']>;
}

async function move(
  trx: Trx,
  row: RegistrationRow,
  { subject, from, columns }: Move,
  { status, actor, detail, awaiting, at }: Change<string>,
): Promise<boolean> {
  if (from === status) return false;
  await trx
    .updateTable('registrations')
    .set({ ...columns, updated_at: at })
    .where('id', '=', row.id)
    .execute();
  const { organization_id: organizationId } = row;
  await addToTimeline(trx, { organizationId, subject, event: status, actor, detail, awaiting, at });
  return true;
}

/**
 * Brings the brand to a status, with an entry in the timeline. Where it is there already nothing happens.
 *
 * @returns whether it changed
 */
export function moveBrand(trx: Trx, row: RegistrationRow, change: Change<BrandStatus>): Promise<boolean> {
  const { status, reasons = [], at } = change;
  const columns = { brand_status: status, brand_since: at, brand_reasons: JSON.stringify(reasons) };
  return move(trx, row, { subject: 'brand', from: row.brand_status, columns }, change);
}

/** As `moveBrand`, for the campaign. */
export function moveCampaign(trx: Trx, row: RegistrationRow, change: Change<CampaignStatus>): Promise<boolean> {
  const { status, reasons = [], at } = change;
  const columns = { campaign_status: status, campaign_since: at, campaign_reasons: JSON.stringify(reasons) };
  return move(trx, row, { subject: 'campaign', from: row.campaign_status, columns }, change);
}

/** As `moveBrand`, for the messaging service. */
export function moveMessagingService(
  trx: Trx,
  row: RegistrationRow,
  change: Change<MessagingServiceStatus>,
): Promise<boolean> {
  const columns = { messaging_service_status: change.status, messaging_service_since: change.at };
  return move(trx, row, { subject: 'messaging_service', from: row.messaging_service_status, columns }, change);
}

/** Opens, ends or takes back the registration as a whole. */
export async function setState(trx: Trx, row: RegistrationRow, state: RegistrationState, at: Date): Promise<void> {
  const submitted = state === 'submitted' && { submitted_at: at, workflow_started_at: null };
  await trx
    .updateTable('registrations')
    .set({ state, updated_at: at, ...submitted })
    .where('id', '=', row.id)
    .execute();
}

/** Keeps who declared what (A1): `accurate` and `representative_agrees`, at each submission. */
export async function addDeclarations(trx: Trx, organizationId: string, actor: string, at: Date): Promise<void> {
  const declarations = ['accurate', 'representative_agrees'] as const;
  await trx
    .insertInto('registration_declarations')
    .values(
      declarations.map((declaration) => ({
        id: newId('declaration', at),
        organization_id: organizationId,
        declaration,
        actor,
        at,
      })),
    )
    .execute();
}

export function declarationsOf(trx: Trx, organizationId: string) {
  return trx
    .selectFrom('registration_declarations')
    .select(['declaration', 'actor', 'at'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute();
}

export async function markRegistrationStarted(trx: Trx, organizationId: string, at: Date): Promise<void> {
  await trx
    .updateTable('registrations')
    .set({ workflow_started_at: at })
    .where('organization_id', '=', organizationId)
    .execute();
}

/** Submitted ones, across organizations, whose workflow was not started before; with `all`, whether started or not. */
export function submittedRegistrations(system: Db, { all }: { all: boolean }) {
  return system
    .selectFrom('registrations')
    .select(['id', 'organization_id'])
    .where('state', '=', 'submitted')
    .$if(!all, (query) => query.where('workflow_started_at', 'is', null))
    .orderBy('id')
    .execute();
}
