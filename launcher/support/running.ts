/** Running a tool to its end, with its output watched line by line. */
import { spawn } from 'node:child_process';
import { guard, unguard } from './watchdog.ts';

interface ToolOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Each line of standard output and error. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
  /** How much of its output the error carries: the last five lines, or everything. */
  tell?: 'end' | 'all';
}

/** Thrown when a tool is missing, fails or is aborted; `message` ends with its last words. */
class ToolError extends Error {
  override name = 'ToolError';
}

/** Runs a program and answers its whole output. It dies with the launcher. */
export function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    if (child.pid !== undefined) guard(child.pid);
    // The whole group: `go` and `mvn` start processes of their own.
    const abort = () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    options.signal?.addEventListener('abort', abort, { once: true });
    let output = '';
    let rest = '';
    const take = (chunk: string) => {
      output += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ToolError(error.code === 'ENOENT' ? `${command} is not installed` : error.message, { cause: error }));
    });
    child.once('close', (code, signal) => {
      options.signal?.removeEventListener('abort', abort);
      if (child.pid !== undefined) unguard(child.pid);
      if (code === 0) resolve(output);
      else {
        const lines = output.trim().split('\n');
        const last = lines.slice(options.tell === 'all' ? 0 : -5).join('\n    ');
        const reason = options.signal?.aborted ? String(options.signal.reason) : `ended with ${code ?? signal}`;
        reject(new ToolError(`${command} ${reason}${last === '' ? '' : `:\n    ${last}`}`));
      }
    });
  });
}
