import { ensureDir, exists, isWritableDir, removeSocket } from '../system/files.ts';
import type { SocketFiles } from './control/listen.ts';

/** What the control socket needs of the file system. */
export const socketFiles: SocketFiles = {
  prepareFolder(path) {
    try {
      // A folder that is there keeps its mode: the run folder must let others pass, the data folder is a volume.
      if (!exists(path)) ensureDir(path, 0o700);
      return isWritableDir(path);
    } catch {
      return false;
    }
  },
  removeSocket,
};
