/**
 * The simulator as a program: reads the environment, listens, and closes on SIGTERM and SIGINT.
 * With `--auto-review` it decides on brands and campaigns by itself, also after a reset.
 */
import { parseArgs } from 'node:util';
import { ConfigurationError, readConfig } from '../config.ts';
import { SetUpFileError } from './persistence.ts';
import { startSimulator } from './start.ts';

try {
  const { values } = parseArgs({ options: { 'auto-review': { type: 'boolean' } } });
  const config = readConfig([
    'TWILIO_ACCOUNT_SID',
    'TWILIO_AUTH_TOKEN',
    'SIMULATOR_PORT',
    'SIMULATOR_SMTP_PORT',
    'SIMULATOR_DATA',
    'HOST',
    'LONGWAVE_CLOCK',
    'TEMPORAL_ADDRESS',
  ]);
  const simulator = await startSimulator({
    accountSid: config.TWILIO_ACCOUNT_SID,
    authToken: config.TWILIO_AUTH_TOKEN,
    port: config.SIMULATOR_PORT,
    host: config.HOST,
    smtpPort: config.SIMULATOR_SMTP_PORT,
    ...(config.SIMULATOR_DATA === undefined ? {} : { dataFile: config.SIMULATOR_DATA }),
    ...(values['auto-review'] === true ? { behaviour: { review: { mode: 'auto' } } } : {}),
    ...(config.LONGWAVE_CLOCK === 'temporal' ? { temporalAddress: config.TEMPORAL_ADDRESS } : {}),
  });
  process.stdout.write(`Twilio simulator on ${simulator.url}, mail on port ${simulator.smtpPort}\n`);

  let closing = false;
  const close = () => {
    if (closing) return;
    closing = true;
    simulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', close);
} catch (error) {
  const isTold = error instanceof ConfigurationError || error instanceof SetUpFileError;
  process.stderr.write(`${isTold ? error.message : String(error)}\n`);
  process.exit(1);
}
