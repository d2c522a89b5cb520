import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';

/** As the archive command does it, for small files. Throws a Failure where another content has the name. */
export function putIntoArchive(archive: string, name: string, content: Buffer): void {
  const path = join(archive, name);
  const hash = `${path}.sha256`;
  if (existsSync(path)) {
    if (!readFileSync(path).equals(content)) {
      throw new Failure(`cannot archive ${name}: it is there already with another content: ${path}`, {
        remedy: `move the folder ${archive} away and make a base backup: bulkhead backup run base`,
      });
    }
    if (existsSync(hash)) return;
  }
  const sum = createHash('sha256').update(content).digest('hex');
  writeFileAtomic(hash, `${sum}  ${name}\n`, { mode: 0o600 });
  writeFileAtomic(path, content, { mode: 0o600 });
}
