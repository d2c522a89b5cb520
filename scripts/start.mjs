/**
 * `npm start`: builds what is missing and becomes the supervisor of the core tier on this machine, data in ./.data.
 * It must parse on old versions of Node, to be able to say that they are too old.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const app = join(root, 'docker', 'app');
const standalone = join(app, '.next', 'standalone');

requireNode(22, 18);
// Before the builds, which take a while.
const data = process.env.BULKHEAD_DATA || join(root, '.data');
makeDataFolder();
await buildSupervisor();
await buildApp();
become();

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  fail(
    `cannot start: Node ${process.versions.node} is too old, Bulkhead needs ${major}.${minor} or newer`,
    'run `npm ci` without --omit=optional (it brings Node 24 for Linux on x64 and arm64), or install Node 24',
  );
}

async function buildSupervisor() {
  const built = join(root, 'dist', 'main.js');
  if (existsSync(built) && statSync(built).mtimeMs >= newestMtime(join(root, 'src'))) return;
  await step('building the supervisor', process.execPath, [join(root, 'scripts', 'build.mjs')], root);
}

async function buildApp() {
  if (existsSync(join(standalone, 'server.js'))) return;
  if (!existsSync(join(app, 'node_modules', 'next'))) {
    await step("installing the app's packages", 'npm', ['ci', '--no-audit', '--no-fund'], app);
  }
  await step('building the app', 'npm', ['run', 'build'], app);
}

/** Replaces this process by the supervisor: one process between the terminal and the services, so signals arrive. */
function become() {
  const supervisor = [
    process.execPath,
    // As in the image (docker/bulkhead): PID 1 lives long and holds little.
    '--max-semi-space-size=1',
    '--optimize-for-size',
    '--disable-sigusr1',
    '--no-concurrent-sparkplug',
    '--no-concurrent-recompilation',
    join(root, 'dist', 'main.js'),
    'up',
    ...process.argv.slice(2),
  ];
  // Meant for the app: the supervisor must not load it, and gives it to the services.
  const { NODE_OPTIONS: forServices, ...env } = process.env;
  const environment = {
    ...(forServices === undefined ? {} : { BULKHEAD_NODE_OPTIONS: forServices }),
    BULKHEAD_COMMAND: 'npx bulkhead',
    BULKHEAD_CONFIG: join(root, 'config'),
    BULKHEAD_APP_DIR: standalone,
    BULKHEAD_SAMPLE: join(app, 'seed', 'tools.sql.gz'),
    ...env,
    BULKHEAD_DATA: data,
    // What schedules and services of the image find in /usr/local/bin.
    PATH: `${writeCommand()}:${process.env.PATH}`,
  };
  const command = process.getuid() === 0 ? [...asPlainUser(), ...supervisor] : supervisor;
  process.execve(command[0], command, environment);
}

/** `bulkhead` of this checkout and this volume, for those who know neither; returns the folder it is in. */
function writeCommand() {
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const folder = join(resolve(data), 'bulkhead', 'bin');
  const words = [process.execPath, join(root, 'dist', 'main.js')].map(quote).join(' ');
  const text = `#!/bin/sh
# Written by npm start at every start.
[ -n "$BULKHEAD_DATA" ] || BULKHEAD_DATA=${quote(resolve(data))}
export BULKHEAD_DATA
exec ${words} "$@"
`;
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `.bulkhead.${process.pid}`);
  writeFileSync(temporary, text);
  chmodSync(temporary, 0o755);
  renameSync(temporary, join(folder, 'bulkhead'));
  return folder;
}

/** With the folder the supervisor makes first, so that what is no place for data is told here and not by a stack. */
function makeDataFolder() {
  try {
    // One by one: where nothing can be made, as in /proc, mkdir's own `recursive` does not end.
    const missing = [];
    for (let at = join(resolve(data), 'bulkhead'); !existsSync(at); at = dirname(at)) missing.unshift(at);
    for (const folder of missing) mkdirSync(folder);
    readdirSync(data);
  } catch (error) {
    const isFolder = !existsSync(data) || statSync(data).isDirectory();
    const why = isFolder && error.code !== 'ENOTDIR' ? error.message : 'it is no folder';
    fail(
      `cannot use the data folder ${data}: ${why}`,
      'choose a folder you may write in, e.g. BULKHEAD_DATA=$HOME/bulkhead-data npm start',
    );
  }
}

/**
 * PostgreSQL refuses to run as root, and another user may not reach this folder. A user namespace that knows one
 * user, mapped to root outside, serves both: everything runs as that user and owns what root owns.
 */
function asPlainUser() {
  const user = ['postgres', 'nobody'].map(findUser).find((found) => found !== undefined);
  const unshare = findProgram('unshare');
  if (unshare && user) {
    const prefix = [unshare, '--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--'];
    if (spawnSync(prefix[0], [...prefix.slice(1), '/bin/true'], { stdio: 'ignore' }).status === 0) {
      if (canOwn()) return prefix;
    }
  }
  if (!findUser('postgres') || !isOpenToOthers(root)) {
    fail(
      `cannot start as root: PostgreSQL refuses root, this machine has no user namespaces, and ${root} is closed to other users`,
      'run `npm start` as a user that is not root, or clone into a folder that other users may enter',
    );
  }
  process.env.BULKHEAD_APP_USER ??= 'nobody';
  return [];
}

/** A folder whose content belongs to other users (an earlier run without the namespace) cannot be mapped to one. */
function canOwn() {
  return readdirSync(data).every((name) => lstatSync(join(data, name)).uid === 0);
}

function isOpenToOthers(folder) {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function findUser(name) {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (!line) return undefined;
  const [, , uid, gid] = line.split(':');
  return { uid, gid };
}

function findProgram(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function newestMtime(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

/** Runs one build step, its output shown only when it fails. */
function step(what, command, args, cwd) {
  const started = Date.now();
  const live = process.stderr.isTTY;
  if (live) process.stderr.write(`… ${what}`);
  else process.stderr.write(`… ${what}\n`);
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => fail(`cannot start ${command}: ${error.message}`, `install ${command}`));
    child.on('close', (code) => {
      if (code !== 0) {
        process.stderr.write(`\n${Buffer.concat(output).toString()}\n`);
        fail(
          `cannot finish ${what}: ${command} ended with ${code}`,
          'the output above says why; then run `npm start` again',
        );
      }
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      process.stderr.write(`${live ? '\r\u001b[K' : ''}✔ ${what} (${seconds} s)\n`);
      resolve();
    });
  });
}

function fail(message, remedy) {
  process.stderr.write(`error: ${message}\n  fix: ${remedy}\n`);
  process.exit(13);
}
