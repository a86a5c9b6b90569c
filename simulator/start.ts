/** Starts a simulator in this process. */
import { SystemClock, type Clock } from './clock/clock.ts';
import type { BehaviourChange } from './faults.ts';
import { simulatorServer } from './http/server.ts';
import { portOf } from './http/wire.ts';
import { MailSink } from './mail.ts';
import { SetUpFile } from './persistence.ts';
import { World } from './world.ts';

export interface SimulatorOptions {
  /** The main account. */
  accountSid: string;
  authToken: string;
  /** HTTP port; 0 for any free one. */
  port: number;
  host?: string;
  /** SMTP port, 0 for any free one; left out, no mail is received. */
  smtpPort?: number;
  /** host:port of Temporal's time-skipping test server: its time becomes the simulator's. */
  temporalAddress?: string;
  /** Behaviour at start and after a reset, where it differs from faultless. */
  behaviour?: BehaviourChange;
  /** File that keeps what was set up; left out, nothing is kept. Its times are those of the system clock. */
  dataFile?: string;
  /** Defaults to standard error. */
  log?: (message: string) => void;
}

export interface Simulator {
  /** Base address without a slash at the end. */
  url: string;
  /** SMTP port; undefined when no mail is received. */
  smtpPort: number | undefined;
  /** Stops listening, drops connections and everything that is due; writes what is to be kept. */
  close(): Promise<void>;
}

async function clockOf(temporalAddress: string | undefined): Promise<Clock> {
  if (temporalAddress === undefined) return new SystemClock();
  // Loaded only where it is needed: the client library takes a while.
  const { TemporalClock } = await import('./clock/temporal-clock.ts');
  return TemporalClock.connect(temporalAddress);
}

/**
 * Starts a simulator with nothing but its main account, or with what was set up before where that is kept.
 *
 * @throws when a port is taken, no time-skipping server is at `temporalAddress`, or `dataFile` cannot be used
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { port, host = '127.0.0.1', smtpPort, log = (message) => void process.stderr.write(`${message}\n`) } = options;
  const clock = await clockOf(options.temporalAddress);
  let mail: MailSink | undefined;
  try {
    mail = smtpPort === undefined ? undefined : await MailSink.listen(smtpPort, () => clock.now());
    const { accountSid, authToken, behaviour, dataFile } = options;
    const world = new World({ accountSid, authToken, clock, mail, behaviour, log });
    const file =
      dataFile === undefined
        ? undefined
        : await SetUpFile.open({ path: dataFile, accountSid, setUp: world.setUp, log });
    const server = simulatorServer(world);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    world.url = `http://${host}:${portOf(server.address())}`;
    if (file !== undefined) world.changed = () => file.changed();
    world.resume();
    return {
      url: world.url,
      smtpPort: mail?.port,
      async close() {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
        await file?.close();
        await world.close();
      },
    };
  } catch (error) {
    await mail?.close();
    await clock.close();
    throw error;
  }
}
