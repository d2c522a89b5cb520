/**
 * Contents by their hash: `<backups>/assets/blobs/ab/ab12…`. New ones gather in the stage of a backup; they get their
 * names when they all are on the disk, so a blob that has its name is whole.
 */
import { createHash, hash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { syncTree } from '../../system/sync-tree.ts';
import { syncFolder } from '../../system/write-file-atomic.ts';
import { tryRead } from './walk.ts';

export function blobPath(blobs: string, sha256: string): string {
  return join(blobs, sha256.slice(0, 2), sha256);
}

export interface TakenFile {
  readonly sha256: string;
  readonly stats: Stats;
  /** Bytes that were not there before. */
  readonly added: number;
  readonly torn: boolean;
}

/** Read whole in one go up to this size, in bytes; larger ones flow. */
const PIECE = 1024 * 1024;
const TRIES = 3;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class BlobStage {
  private readonly piece = Buffer.allocUnsafe(PIECE);
  private readonly fresh = new Set<string>();
  private readonly blobs: string;
  private readonly stage: string;

  /** @param stage a folder of this backup alone, on the same file system; made here */
  constructor(blobs: string, stage: string) {
    this.blobs = blobs;
    this.stage = stage;
    mkdirSync(blobs, { recursive: true, mode: 0o750 });
    mkdirSync(stage, { mode: 0o750 });
  }

  /** Reads a file and keeps its content if it is new; undefined where it went away. */
  async take(door: string, signal: AbortSignal): Promise<TakenFile | undefined> {
    const fd = tryRead(() => openSync(door, READ));
    if (fd === undefined) return undefined;
    try {
      for (let round = 1; ; round += 1) {
        const before = fstatSync(fd);
        if (!before.isFile()) return undefined;
        const taken = before.size < PIECE ? this.takeSmall(fd) : await this.takeLarge(fd, signal);
        const after = fstatSync(fd);
        const same =
          before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs && taken.size === after.size;
        if (same || round === TRIES) {
          const added = this.keep(taken) ? taken.size : 0;
          return { sha256: taken.sha256, stats: sized(after, taken.size), added, torn: !same };
        }
        taken.drop();
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Where a content that comes from elsewhere is to be put, before it is adopted. */
  pathOf(sha256: string): string {
    return join(this.stage, sha256);
  }

  /** What lies at `pathOf` has been checked. */
  adopt(sha256: string): void {
    this.fresh.add(sha256);
  }

  has(sha256: string): boolean {
    return this.fresh.has(sha256) || existsSync(blobPath(this.blobs, sha256));
  }

  /** Gives every new blob its name, when all of them are on the disk. Returns how many there were. */
  publish(): number {
    syncTree(this.stage);
    const folders = new Set<string>();
    for (const sha256 of this.fresh) {
      const folder = join(this.blobs, sha256.slice(0, 2));
      if (!folders.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o750 });
      folders.add(folder);
      renameSync(join(this.stage, sha256), join(folder, sha256));
    }
    for (const folder of folders) syncFolder(folder);
    syncFolder(this.blobs);
    rmSync(this.stage, { recursive: true, force: true });
    return this.fresh.size;
  }

  private takeSmall(fd: number): Taken {
    let size = 0;
    // One byte more than there was: a file that grew shows it.
    for (let got = -1; got !== 0 && size < PIECE; size += got) {
      got = readSync(fd, this.piece, size, PIECE - size, size);
    }
    const content = this.piece.subarray(0, size);
    return {
      sha256: hash('sha256', content, 'hex'),
      size,
      moveTo: (path) => writeFileSync(path, content, { flag: 'wx', mode: 0o640 }),
      drop: () => undefined,
    };
  }

  /** Into the stage while it is hashed: only then is it known whether it is new. */
  private async takeLarge(fd: number, signal: AbortSignal): Promise<Taken> {
    const path = join(this.stage, '.reading');
    const out = openSync(path, 'w', 0o640);
    const digest = createHash('sha256');
    let size = 0;
    try {
      for (;;) {
        const got = readSync(fd, this.piece, 0, PIECE, size);
        if (got === 0) break;
        const content = this.piece.subarray(0, got);
        digest.update(content);
        writeAll(out, content);
        size += got;
        await breathe();
        signal.throwIfAborted();
      }
    } finally {
      closeSync(out);
    }
    return {
      sha256: digest.digest('hex'),
      size,
      moveTo: (to) => renameSync(path, to),
      drop: () => rmSync(path, { force: true }),
    };
  }

  private keep(taken: Taken): boolean {
    if (this.has(taken.sha256)) {
      taken.drop();
      return false;
    }
    taken.moveTo(join(this.stage, taken.sha256));
    this.fresh.add(taken.sha256);
    return true;
  }
}

interface Taken {
  readonly sha256: string;
  readonly size: number;
  moveTo(path: string): void;
  drop(): void;
}

/** What was read counts, also where the file has grown since. */
function sized(stats: Stats, size: number): Stats {
  return Object.assign(stats, { size });
}

function writeAll(fd: number, content: Buffer): void {
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
}

/** Behind the hash of a content that was found damaged: it has no name any more, and can be taken anew. */
export const DAMAGED = '.damaged';

/** Every blob there is, by its hash; `damaged`: those that have lost their names, by what they are called now. */
export function* listBlobs(blobs: string, damaged = false): Generator<string> {
  const wanted = damaged ? /^[0-9a-f]{64}\.damaged$/ : /^[0-9a-f]{64}$/;
  for (const folder of tryRead(() => readdirSync(blobs)) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of readdirSync(join(blobs, folder))) if (wanted.test(name)) yield name;
  }
}
