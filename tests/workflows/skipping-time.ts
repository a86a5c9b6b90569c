/** Temporal's time-skipping server alone, with workers whose activities the test plays. Its clock is global: one test at a time. */
import { Client, Connection } from '@temporalio/client';
// The test service is part of the SDK's connection, but only a symbol of this module asks for it (as @temporalio/testing does).
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { timeSkippingServer } from '../harness/infrastructure.ts';

export interface SkippingTime {
  client: Client;
  /** Starts a worker that ends with the server. */
  work(options: Pick<WorkerOptions, 'taskQueue'> & Partial<WorkerOptions>): Promise<void>;
  /** Epoch milliseconds of its clock. */
  now(): Promise<number>;
  /** Moves the clock, running what falls due. @param duration in its time, in milliseconds */
  skip(durationMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startSkippingTime(): Promise<SkippingTime> {
  const server = await timeSkippingServer();
  const { address } = server;
  const options = { address, [InternalConnectionOptionsSymbol]: { supportsTestService: true } };
  const connection = await Connection.connect(options);
  const native = await NativeConnection.connect({ address });
  const service = connection.testService!;
  const workers: { worker: Worker; running: Promise<void> }[] = [];
  return {
    client: new Client({ connection }),
    work: async (options) => {
      const worker = await Worker.create({ connection: native, ...options });
      workers.push({ worker, running: worker.run() });
    },
    now: async () => tsToMs((await service.getCurrentTime({})).time),
    skip: async (durationMs) => void (await service.unlockTimeSkippingWithSleep({ duration: msToTs(durationMs) })),
    stop: async () => {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ running }) => running));
      await connection.close();
      await native.close();
      await server.stop();
    },
  };
}
