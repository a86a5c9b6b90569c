/**
 * Who Postgres runs as. It refuses to run as root, so under root (containers, CI) it runs as the user `postgres`.
 *
 * That user must be able to reach both the server's binaries in node_modules and the data folder, and a checkout under
 * /root (mode 0700) is closed to it. Opening such folders for everybody, or keeping the data somewhere else than
 * LONGWAVE_DATA says, would both surprise. Instead the process keeps a single power of root, to pass closed folders
 * (CAP_DAC_OVERRIDE, as an ambient capability through util-linux's `setpriv`), and only where it is needed.
 */
import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { userInfo } from 'node:os';

export interface ServerUser {
  /** How to start a program as this user. */
  run(command: string, args: readonly string[]): { command: string; args: string[]; uid?: number; gid?: number };
  /** Gives a file or folder to this user. */
  own(path: string): void;
}

const NAME = 'postgres';

function idOf(flag: '-u' | '-g'): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, NAME], { encoding: 'utf8' });
  return status === 0 ? Number(stdout.trim()) : undefined;
}

/** The ids of the user `postgres`, which is created where there is none. */
function ensureUser(): { uid: number; gid: number } {
  if (idOf('-u') === undefined) {
    const create = {
      groupadd: ['--system', '-f', NAME],
      useradd: ['--system', '-g', NAME, '--no-create-home', '--shell', '/bin/false', NAME],
    };
    for (const [command, args] of Object.entries(create)) spawnSync(command, args);
  }
  const uid = idOf('-u');
  const gid = idOf('-g');
  if (uid === undefined || gid === undefined) {
    throw new Error(
      `Postgres cannot run as root, and the user "${NAME}" could not be created. ` +
        'Run as another user, or set DATABASE_URL to a Postgres server of your own.',
    );
  }
  return { uid, gid };
}

/**
 * Chooses the user to run Postgres as.
 *
 * @param paths files and folders it must reach
 * @throws when root's Postgres user cannot reach one of them, saying which and what to do
 */
export function serverUser(paths: readonly string[]): ServerUser {
  if (userInfo().uid !== 0) return { run: (command, args) => ({ command, args: [...args] }), own: () => {} };
  const { uid, gid } = ensureUser();
  const own = (path: string) => chownSync(path, uid, gid);

  const plain: ServerUser = { run: (command, args) => ({ command, args: [...args], uid, gid }), own };
  if (paths.every((path) => reaches(plain, path))) return plain;

  const ids = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  // Without the last, access(2) ignores the capability for a user that is not root, and Postgres asks by it.
  const powers = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  const passing: ServerUser = {
    run: (command, args) => ({ command: 'setpriv', args: [...ids, ...powers, '--', command, ...args] }),
    own,
  };
  const closed = paths.find((path) => !reaches(passing, path));
  if (closed === undefined) return passing;
  throw new Error(
    `Postgres runs as the user "${NAME}" when started by root, and that user cannot reach ${closed}. ` +
      `Move the checkout (or LONGWAVE_DATA) out of the closed folder, open its parents with "chmod o+x", ` +
      'or set DATABASE_URL to a Postgres server of your own.',
  );
}

function reaches(user: ServerUser, path: string): boolean {
  // `find` asks by access(2), as Postgres does; `test -x` would answer for the effective rights only.
  const { command, args, uid, gid } = user.run('find', [path, '-maxdepth', '0', '-executable']);
  const ids = uid === undefined || gid === undefined ? {} : { uid, gid };
  return spawnSync(command, args, { cwd: '/', encoding: 'utf8', ...ids }).stdout.trim() !== '';
}
