/** Lines for people: what the launcher is doing, and how long slow things have been taking. */

export type Report = (line: string) => void;

/** Writes each line to standard output. */
export const toConsole: Report = (line) => {
  process.stdout.write(`${line}\n`);
};

/** A duration as people say it: `820 ms`, `4.2 s`, `3 min 05 s`. */
export function readable(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

interface Ticker {
  /** What is being worked on just now; shown with the next tick. */
  now(detail: string): void;
  stop(): void;
}

/**
 * Reports `title` with the elapsed time at intervals until stopped, so that a long silence never looks like a hang.
 * On a terminal one line is rewritten every second; elsewhere a line is added every fifteen seconds.
 */
export function ticking(title: string, report: Report): Ticker {
  const terminal = report === toConsole && process.stdout.isTTY;
  const startedAt = performance.now();
  let detail = '';
  const timer = setInterval(
    () => {
      const line = `  ${title}: ${readable(performance.now() - startedAt)}${detail === '' ? '' : `, ${detail}`}`;
      if (terminal) process.stdout.write(`\r\u001B[K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
      else report(line);
    },
    terminal ? 1_000 : 15_000,
  );
  return {
    now: (next) => {
      detail = next;
    },
    stop: () => {
      clearInterval(timer);
      if (terminal) process.stdout.write('\r\u001B[K');
    },
  };
}
