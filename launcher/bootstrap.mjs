/**
 * The first thing every npm script runs, on whatever Node the machine has (18 or newer; hence plain JavaScript and no
 * dependency). Installs the packages when they are missing or outdated, then hands over to `launcher/<command>.ts` on
 * the Node 24 that package.json pins.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const lockFile = join(root, 'package-lock.json');
const stampFile = join(modules, '.longwave-installed');
const node = join(modules, 'node', 'bin', 'node');
const commands = ['start', 'test', 'demo', 'bench'];

const [command, ...rest] = process.argv.slice(2);
if (!commands.includes(command)) {
  console.error(`Usage: node launcher/bootstrap.mjs ${commands.join('|')}`);
  process.exit(2);
}

function lockHash() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex');
}

function isInstalled() {
  if (!existsSync(node)) return false;
  try {
    return readFileSync(stampFile, 'utf8').trim() === lockHash();
  } catch {
    // No stamp: somebody ran `npm ci` by hand. npm's own record of what it installed tells whether that was later.
  }
  try {
    if (statSync(join(modules, '.package-lock.json')).mtimeMs < statSync(lockFile).mtimeMs) return false;
    writeFileSync(stampFile, `${lockHash()}\n`);
    return true;
  } catch {
    return false;
  }
}

async function install() {
  console.log('Installing packages (npm ci); once per change of package-lock.json, about a minute …');
  const startedAt = Date.now();
  const elapsed = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  const ticker = setInterval(() => console.log(`  still installing packages: ${elapsed()}`), 15_000);
  // The npm that runs us, if it is npm (and not another package manager that set the same variable).
  const cli = process.env.npm_execpath;
  const [program, first] = cli && basename(cli).startsWith('npm') ? [process.execPath, [cli]] : ['npm', []];
  // The development dependencies are needed even where NODE_ENV or .npmrc would leave them out.
  const args = [...first, 'ci', '--include=dev', '--no-audit', '--no-fund'];
  const code = await new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', (error) => {
      console.error(error.code === 'ENOENT' ? 'npm is not on PATH.' : error.message);
      resolve(1);
    });
    child.once('exit', (status) => resolve(status ?? 1));
  });
  clearInterval(ticker);
  if (code === 0 && existsSync(node)) {
    writeFileSync(stampFile, `${lockHash()}\n`);
    console.log(`Packages installed in ${elapsed()}.`);
    return;
  }
  const reason =
    code === 0
      ? 'The package "node" came without its program: npm must be allowed to run install scripts (see allowScripts in\n' +
        'package.json, and "ignore-scripts" in your npm configuration).'
      : 'Check that npm is installed (version 9 or newer) and that it reaches its registry: "npm ping" answers whether it\n' +
        'does. Behind a proxy or a mirror, set it with "npm config set proxy …" or "npm config set registry …".';
  console.error(`\nThe packages could not be installed.\n${reason}\nThen start again.`);
  process.exit(1);
}

/** The numbers of our parent and, where npm runs scripts through a shell, of the shell's parent. */
function ancestors() {
  const parents = [process.ppid];
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(process.ppid)], { encoding: 'utf8' });
  const [, parent, name] = /(\d+)\s+(\S+)/.exec(stdout || '') ?? [];
  if (parent && /(^|\/|-)(da|ba|z|a)?sh$/.test(name)) parents.push(Number(parent));
  return parents;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function handOver() {
  const child = spawn(node, [join(root, 'launcher', `${command}.ts`), ...rest], {
    cwd: root,
    // The channel tells the launcher at once when this process is gone, even by kill -9.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm passes signals on to us, but cannot pass on its own kill -9.
  if (process.env.npm_lifecycle_event) {
    const watched = ancestors();
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent && watched.every(isAlive)) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }, 1000);
    watch.unref();
  }
  child.once('error', (error) => {
    console.error(`Node 24 could not be started (${error.message}). Delete node_modules and start again.`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

if (!isInstalled()) await install();
handOver();
