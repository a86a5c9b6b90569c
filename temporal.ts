/** How every process of ours connects to Temporal, from the environment. */
import { readFileSync } from 'node:fs';
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';

export interface TemporalEnvironment {
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  TEMPORAL_API_KEY?: string | undefined;
  TEMPORAL_TLS: boolean;
  TEMPORAL_TLS_CERT?: string | undefined;
  TEMPORAL_TLS_KEY?: string | undefined;
  TEMPORAL_TLS_SERVER_NAME?: string | undefined;
  LONGWAVE_CLOCK: 'system' | 'temporal';
}

/** The variables of a `TemporalEnvironment`, for `readConfig`. */
export const temporalVariables = [
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS',
  'TEMPORAL_TLS_CERT',
  'TEMPORAL_TLS_KEY',
  'TEMPORAL_TLS_SERVER_NAME',
  'LONGWAVE_CLOCK',
] as const;

/** Plain for a local server; TLS when asked for, with a client certificate (mTLS) or an API key (Temporal Cloud). */
export function connectionOptions(env: TemporalEnvironment) {
  const { TEMPORAL_TLS_CERT: certificate, TEMPORAL_TLS_KEY: key, TEMPORAL_TLS_SERVER_NAME: serverName } = env;
  const wantsTls = env.TEMPORAL_TLS || certificate !== undefined || env.TEMPORAL_API_KEY !== undefined;
  const pair = certificate && key ? { crt: readFileSync(certificate), key: readFileSync(key) } : undefined;
  return {
    address: env.TEMPORAL_ADDRESS,
    ...(env.TEMPORAL_API_KEY && { apiKey: env.TEMPORAL_API_KEY }),
    ...(wantsTls && {
      tls: { ...(serverName && { serverNameOverride: serverName }), ...(pair && { clientCertPair: pair }) },
    }),
    // Opens the test service, which tells the time of a time-skipping server.
    ...(env.LONGWAVE_CLOCK === 'temporal' && { [InternalConnectionOptionsSymbol]: { supportsTestService: true } }),
  };
}
