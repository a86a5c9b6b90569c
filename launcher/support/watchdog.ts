/**
 * Ends the children when the launcher dies without a chance to do so (`kill -9`, a crash, a closed container shell).
 *
 * A signal handler cannot see SIGKILL, and Postgres, Temporal and Java watch nothing of ours. PR_SET_PDEATHSIG would do
 * on Linux, but `setpriv --pdeathsig` is util-linux only and the kernel drops the wish when a program changes user, as
 * Postgres under root does. So one small shell process, portable and 1 MB light, holds the read end of a pipe whose write
 * end only the launcher has. The kernel closes that end whatever the launcher dies of; the shell reads "end of file" and
 * kills the process groups it was told about. It runs in its own session, so Ctrl-C does not reach it.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** `+ pid signal` adds a process group, `- pid` forgets one. Postgres gets a signal that lets it finish its write-ahead log. */
const script = `
groups=""
while read -r operation pid signal; do
  case "$operation" in
    +) groups="$groups $pid:$signal" ;;
    -) kept=""
       for entry in $groups; do [ "\${entry%%:*}" = "$pid" ] || kept="$kept $entry"; done
       groups="$kept" ;;
  esac
done
for entry in $groups; do kill -s "\${entry##*:}" -- "-\${entry%%:*}" 2>/dev/null; done
tries=0
while [ "$tries" -lt 50 ]; do
  alive=""
  for entry in $groups; do kill -s 0 -- "-\${entry%%:*}" 2>/dev/null && alive=yes; done
  [ -z "$alive" ] && exit 0
  tries=$((tries + 1))
  sleep 0.1
done
for entry in $groups; do kill -s KILL -- "-\${entry%%:*}" 2>/dev/null; done
`;

let pipe: Writable | undefined;

function open(): Writable {
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  shell.unref();
  const input = shell.stdin;
  // At run time a socket; unref'ed, so that it does not keep a finished launcher alive.
  if (input instanceof Socket) input.unref();
  // The shell ends only with us; if somebody kills it, the launcher still works, unguarded.
  input.on('error', () => {});
  shell.on('error', () => {});
  return input;
}

/** Has the process group killed with `signal` should this process die before `unguard`. */
export function guard(pid: number, signal: 'KILL' | 'INT' = 'KILL'): void {
  pipe ??= open();
  pipe.write(`+ ${pid} ${signal}\n`);
}

/** Forgets a process group that has ended. */
export function unguard(pid: number): void {
  pipe?.write(`- ${pid}\n`);
}
