/** What the tests of registration begin with: a questionnaire that passes, files of evidence, and a stand-in for Temporal. */
import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { Schema } from '../../../db/schema.ts';
import { honest } from '../../domain/registration/intakes.ts';
import { type Api, type Organization, startApi } from '../support.ts';

const { context } = honest.staffing;
/** Complete and honest: preflight has no objection. */
export const complete = honest.staffing.intake;

interface Asked {
  /** A workflow's id. */
  workflow: string;
  /** The update's or the signal's name. */
  message: string;
  updateId?: string;
  actor?: string;
}

/** A workflow service that notes what it was asked, answers as the test says, and keeps on record what became of updates. */
function fakeTemporal() {
  /** By update id: what it failed with, or null. */
  const records = new Map<string, WorkflowUpdateFailedError | null>();
  const state = {
    started: [] as { type: string; workflowId: string; args: unknown[] }[],
    asked: [] as Asked[],
    /** What becomes of an update, with its argument, or a signal; may throw. */
    onMessage: async (_asked: Asked, _command?: unknown): Promise<void> => {},
    onStart: async (): Promise<void> => {},
  };
  const hear = async (asked: Asked, command?: unknown): Promise<void> => {
    state.asked.push(asked);
    await state.onMessage(asked, command);
  };
  const update = async (updateId: string, obey: () => Promise<void>): Promise<void> => {
    const record = records.get(updateId);
    if (record) throw record;
    if (record === null) return;
    try {
      await obey();
      records.set(updateId, null);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) records.set(updateId, error);
      throw error;
    }
  };
  const workflow = {
    start: async (type: string, { workflowId, args }: { workflowId: string; args: unknown[] }) => {
      await state.onStart();
      state.started.push({ type, workflowId, args });
    },
    getHandle: (id: string) => ({
      executeUpdate: (
        { name }: { name: string },
        { args, updateId }: { args: [{ actor: string }]; updateId: string },
      ) => update(updateId, () => hear({ workflow: id, message: name, updateId, actor: args[0].actor }, args[0])),
      getUpdateHandle: (updateId: string) => ({
        result: () => update(updateId, () => Promise.reject(notFound())),
      }),
      signal: ({ name }: { name: string }) => hear({ workflow: id, message: name }),
    }),
  };
  const connection = { withDeadline: (_at: number, work: () => unknown) => work() };
  return {
    state,
    port: { client: { workflow, connection } as never, ping: async () => {} },
    /** As before the first message. */
    reset: () => {
      state.started.length = 0;
      state.asked.length = 0;
      records.clear();
      state.onMessage = async () => {};
      state.onStart = async () => {};
    },
  };
}

export const away = () => new ServiceError('away', { cause: Object.assign(new Error('away'), { code: 14 }) });
/** Temporal took the update, and nobody obeyed it before the deadline. */
export const tooLate = () =>
  new WorkflowUpdateRPCTimeoutOrCancelledError('Deadline exceeded', {
    cause: Object.assign(new Error('Deadline exceeded'), { code: 4 }),
  });
export const notFound = () => new WorkflowNotFoundError('workflow not found', 'x', undefined);

/** The API with the stand-in. */
export async function startWithTemporal(overrides: Parameters<typeof startApi>[0] = {}) {
  const temporal = fakeTemporal();
  const api = await startApi({ temporal: temporal.port, ...overrides });
  return { api, temporal: temporal.state, reset: temporal.reset };
}

/** The organization that the complete questionnaire is of. */
export const bluebird = (api: Api): Promise<Organization> => api.organization({ ...context.organization });

type RegistrationColumns = Partial<{
  [Column in keyof Schema['registrations']]: unknown;
}>;

/** Brings a registration to where a test begins, behind the product's back. @returns its id */
export async function force(api: Api, organization: Organization, set: RegistrationColumns): Promise<string> {
  await organization.client.put('/v1/registration/intake', {});
  const row = await api.database.system
    .updateTable('registrations')
    .set(set as never)
    .where('organization_id', '=', organization.id)
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** A picture of one pixel. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(200)]);
export const pdf = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n');

/** A form of files, by field. */
export function formOf(...files: { field?: string; name?: string; type?: string; content: Uint8Array }[]): FormData {
  const form = new FormData();
  for (const { field = 'file', name = 'opt-in.png', type = 'image/png', content } of files) {
    form.append(field, new Blob([new Uint8Array(content)], { type }), name);
  }
  return form;
}

/** Uploads evidence as an organization. */
export async function upload(
  api: Api,
  { key }: Pick<Organization, 'key'>,
  body: FormData | string,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${api.url}/v1/registration/evidence`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, ...headers },
    body,
  });
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read any shape, and say in assertions what it must be
  const answer: any = await response.json();
  return { status: response.status, headers: response.headers, body: answer };
}
