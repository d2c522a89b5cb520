/**
 * What moves in with a cluster: assets and configuration. Each is made whole in a stage beside its place; when the
 * cluster's operation has come to its flip, each gets its place by a rename that can be done again or not at all.
 */
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import type { Layout } from '../postgres/layout.ts';
import { stageFor } from '../system/swap-folder.ts';
import { syncFolder } from '../system/write-file-atomic.ts';

interface Belonging {
  readonly place: string;
  /** Beside its place, or inside where that is a mount. */
  readonly stage: string;
  readonly kind: 'folder' | 'file';
}

interface Belongings {
  readonly assets: Belonging;
  readonly environment: Belonging;
  /** Encrypted to a passphrase. */
  readonly sealed: Belonging;
}

/** @param stage name of the operation's stage; the names never come out of a file that others can write */
export function belongingsOf({ dataDir }: Layout, stage: string): Belongings {
  const assets = join(dataDir, 'assets');
  const config = join(dataDir, 'config');
  const file = (name: string): Belonging => ({
    place: join(config, name),
    stage: join(config, `${stage}-${name}`),
    kind: 'file',
  });
  return {
    assets: { place: assets, stage: stageFor(assets, `${stage}-assets`), kind: 'folder' },
    environment: file('app.env'),
    sealed: file('app.env.age'),
  };
}

function listBelongings(layout: Layout, stage: string): readonly Belonging[] {
  const { assets, environment, sealed } = belongingsOf(layout, stage);
  return [assets, environment, sealed];
}

/** Returns what a person should know. */
export function finishBelongings(layout: Layout, stage: string): string[] {
  const notes: string[] = [];
  for (const belonging of listBelongings(layout, stage)) {
    if (!existsSync(belonging.stage)) continue;
    if (belonging.kind === 'folder') placeFolder(belonging);
    else {
      const place = existsSync(belonging.place) ? `${belonging.place}.moved-in` : belonging.place;
      renameSync(belonging.stage, place);
      if (place !== belonging.place) {
        notes.push(
          `${belonging.place} was there and is as it was; the one that moved in is ${basename(place)} beside it`,
        );
      }
    }
    syncFolder(dirname(belonging.place));
  }
  return notes;
}

/** Over an empty folder a rename is one step; into a mount, entry by entry. */
function placeFolder({ place, stage }: Belonging): void {
  if (dirname(stage) !== place) {
    try {
      renameSync(stage, place);
    } catch (cause) {
      throw new Failure(`cannot put the assets that move in into ${place}: ${messageOf(cause)}`, {
        remedy: `move away what has been put there since, and start again; they wait in ${stage}`,
        cause,
      });
    }
    return;
  }
  for (const name of readdirSync(stage)) renameSync(join(stage, name), join(place, name));
  rmdirSync(stage);
  syncFolder(place);
}

/** What never came to its flip. */
export function removeBelongings(layout: Layout, stage: string): void {
  for (const belonging of listBelongings(layout, stage)) {
    rmSync(belonging.stage, { recursive: true, force: true });
  }
}
