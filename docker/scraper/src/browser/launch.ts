import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type Browser, connect } from 'puppeteer-core';
import { Problem } from '../problem.ts';
import { countOomKills } from './crash.ts';
import { isHeadlessShell } from './find.ts';
import { chromiumFlags, VIEWPORT } from './flags.ts';
import { makeWorkFolder } from './folder.ts';
import { pipeTransport } from './pipe.ts';
import type { Surroundings } from './surroundings.ts';
import { killTree, memoryOf } from './tree.ts';

export interface RunningBrowser {
  readonly browser: Browser;
  readonly pid: number;
  /** The newest of what it wrote on its standard error. */
  said(): string;
  /** How it ended, unasked: `killed by SIGKILL`; undefined: it runs. */
  endedBy(): string | undefined;
  /** How many of our group the kernel has killed for want of memory since it started; undefined: it does not tell. */
  oomKills(): number | undefined;
  /** Bytes of its whole tree now, shared pages counted once. */
  memory(): number | undefined;
  /** Kills it with its tree and removes its folder. May be called at any time, more than once. */
  kill(): Promise<void>;
}

export interface LaunchOptions {
  readonly program: string;
  readonly proxyPort: number;
  readonly surroundings: Surroundings;
  readonly timeoutMs: number;
}

const WORDS_KEPT = 2000;

/**
 * Starts Chromium in this process's own group, so that whoever ends the group ends the browser, and speaks to it by
 * pipes: no port, and when we are gone it sees the end of the pipe and leaves.
 */
export async function launchBrowser(options: LaunchOptions): Promise<RunningBrowser> {
  const folder = makeWorkFolder();
  const flags = chromiumFlags({
    headlessShell: isHeadlessShell(options.program),
    profile: join(folder.path, 'profile'),
    proxyPort: options.proxyPort,
    surroundings: options.surroundings,
  });
  const [program, ...rest] = commandOf(options, folder.path);
  const child = spawn(program, [...rest, ...flags], {
    // Nothing of our environment: it holds the database's password, and pages are strangers.
    env: browserEnvironment(folder.path),
    cwd: folder.path,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(-WORDS_KEPT);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit ${code}`));
  });
  let end: string | undefined;
  let isOurs = false;
  void ended.then((how) => {
    if (!isOurs) end = how;
  });
  const before = countOomKills();
  const kill = async () => {
    isOurs = true;
    if (child.pid && child.exitCode === null && child.signalCode === null) killTree(child.pid);
    await ended;
    child.stderr?.destroy();
    folder.remove();
  };
  const pid = child.pid;
  if (pid === undefined) {
    const reason = await ended;
    folder.remove();
    throw new Problem(`cannot start Chromium: ${reason}`);
  }
  const [, , , toBrowser, fromBrowser] = child.stdio as [null, null, Readable, Writable, Readable];
  try {
    const browser = await atMost(
      options.timeoutMs,
      connect({
        transport: pipeTransport(toBrowser, fromBrowser),
        defaultViewport: VIEWPORT,
        // Every wait on the browser has a limit of ours, told in our words.
        protocolTimeout: 0,
      }),
      ended,
    );
    return {
      browser,
      pid,
      said: () => lastWords,
      endedBy: () => end,
      oomKills: () => {
        const now = countOomKills();
        return now === undefined || before === undefined ? undefined : now - before;
      },
      memory: () => memoryOf(pid),
      kill,
    };
  } catch (error) {
    await kill();
    const said = lastWords.trim().split('\n').at(-1);
    throw new Problem(`cannot start Chromium: ${(error as Error).message}${said ? ` (${said})` : ''}`);
  }
}

/** Outside of its sandbox, a page that has taken Chromium over is this user: so it is one who may do nothing. */
function commandOf(
  { program, proxyPort, surroundings: { noSandbox, landlock } }: LaunchOptions,
  folder: string,
): [string, ...string[]] {
  if (noSandbox === undefined || landlock === 0) return [program];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;
  return [...node, findConfine(), String(proxyPort), folder, program];
}

/** Beside us once we are built, else where its source is. */
function findConfine(): string {
  const places = ['confine.mjs', '../confine.mjs', '../confine.ts'];
  const found = places.map((place) => join(import.meta.dirname, place)).find((path) => existsSync(path));
  if (found) return found;
  throw new Problem('cannot start Chromium: confine.mjs, which is a part of the scraper, is not there');
}

function browserEnvironment(folder: string): NodeJS.ProcessEnv {
  const { PATH, LANG = 'C.UTF-8', TZ } = process.env;
  const temporary = join(folder, 't');
  const own = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder, TMPDIR: temporary };
  return { ...own, LANG, ...(PATH ? { PATH } : {}), ...(TZ ? { TZ } : {}) };
}

/** The browser, unless it takes too long or ends first. */
async function atMost<Result>(ms: number, work: Promise<Result>, ended: Promise<string>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  const gone = ended.then((how) => Promise.reject(new Error(`it ended at once: ${how}`)));
  work.catch(() => {});
  try {
    return await Promise.race([work, tooLong, gone]);
  } finally {
    clearTimeout(timer);
    gone.catch(() => {});
  }
}
