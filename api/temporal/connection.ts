/** Temporal as the API needs it: a client that connects when first used, and whether the server answers. */
import { Client, Connection } from '@temporalio/client';
import { connectionOptions, type TemporalEnvironment } from '../../temporal.ts';

export interface TemporalPort {
  readonly client: Client;
  /** Resolves when the server answers; throws what the client throws. */
  ping(): Promise<void>;
}

/** Does not connect yet: the API starts, and serves what needs no workflow, while Temporal is away. */
export function openTemporal(env: TemporalEnvironment): TemporalPort & { connection: Connection } {
  const connection = Connection.lazy(connectionOptions(env));
  return {
    connection,
    client: new Client({ connection, namespace: env.TEMPORAL_NAMESPACE }),
    ping: async () => {
      await connection.withDeadline(Date.now() + 2_000, () => connection.workflowService.getSystemInfo({}));
    },
  };
}
