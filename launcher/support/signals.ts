/** Ctrl-C and its relatives. */
import { reasonOf } from './errors.ts';
import type { Report } from './progress.ts';

/**
 * Calls `stop` at the first request to end: Ctrl-C, SIGTERM, a closed terminal, or the end of the process that started
 * us (`bootstrap.mjs` holds the other end of a channel). A second request calls `kill`. Then the process ends: with 0
 * after an orderly stop.
 *
 * One Ctrl-C may arrive several times, from the terminal, from npm and from `bootstrap.mjs`, each forwarding it; so what
 * comes within a second of the first belongs to it.
 */
export function onEnd(actions: { stop: () => Promise<void>; kill: () => Promise<void>; report: Report }): void {
  let firstAt: number | undefined;
  const end = (reason: string) => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      actions.report(`\nStopping (${reason}); once more to kill …`);
      void actions.stop().then(
        () => process.exit(process.exitCode ?? 0),
        (error: unknown) => {
          actions.report(`Stopping failed: ${reasonOf(error)}`);
          process.exit(1);
        },
      );
    } else if (now - firstAt > 1_000) {
      actions.report('Killing everything');
      void actions.kill().finally(() => process.exit(130));
    }
  };
  process.on('SIGINT', () => end('Ctrl-C'));
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGHUP', () => end('the terminal was closed'));
  process.on('disconnect', () => end('the starting process is gone'));
  // The channel alone should not keep a finished process alive.
  process.channel?.unref();
}
