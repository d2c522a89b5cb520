/** The names in an archive were written by somebody else: none may lead out of the folder it is unpacked into. */
import { Failure } from '../base/errors.ts';

/** Remembers which folders an archive has made, so that nothing is ever written through one of its links. */
export interface EntryPaths {
  /** @throws Failure where the name is absolute, climbs, comes twice, or lies in what is no folder of the archive. */
  check(path: string, kind: 'file' | 'directory' | 'symlink'): void;
}

export function createEntryPaths(archive: string): EntryPaths {
  const kinds = new Map<string, 'file' | 'directory' | 'symlink'>();
  const refuse = (path: string, why: string): never => {
    throw new Failure(`cannot unpack ${archive}: the name ${JSON.stringify(path)} in it ${why}`, {
      remedy: 'nothing was changed; make the archive anew, and trust none that is not yours',
      code: 'foreign-name',
    });
  };
  return {
    check: (path, kind) => {
      if (path.startsWith('/')) refuse(path, 'is absolute');
      const parts = path.split('/');
      if (parts.includes('..')) refuse(path, 'climbs out of its folder');
      if (path === '' || parts.includes('') || parts.includes('.') || path.includes('\0')) {
        refuse(path, 'is no plain path');
      }
      if (kinds.has(path)) refuse(path, 'comes twice');
      const parent = parts.slice(0, -1).join('/');
      const above = kinds.get(parent);
      if (parent !== '' && above !== 'directory') {
        refuse(path, above === undefined ? 'lies in a folder that is not in it' : `lies in a ${above}`);
      }
      kinds.set(path, kind);
    },
  };
}
