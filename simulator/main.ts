/** The simulator as a program: reads the environment, listens, and closes on SIGTERM and SIGINT. */
import { ConfigurationError, readConfig } from '../config.ts';
import { startSimulator } from './start.ts';

try {
  const config = readConfig([
    'TWILIO_ACCOUNT_SID',
    'TWILIO_AUTH_TOKEN',
    'SIMULATOR_PORT',
    'SIMULATOR_SMTP_PORT',
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
  process.stderr.write(`${error instanceof ConfigurationError ? error.message : String(error)}\n`);
  process.exit(1);
}
