import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { formatSize } from '../../base/size.ts';
import type { Finding } from '../../protocol/finding.ts';

const MB = 1024 * 1024;

/** Shared memory, the memory limit. */
export function examineMachine(): readonly Finding[] {
  return [examineSharedMemory(), ...examineMemoryLimit()];
}

/** Only while no supervisor runs, which would know better. */
export function examineIsolation(uid: number): Finding {
  if (uid === 0) {
    const fact = 'a supervisor started as root gives each service a user of its own';
    return { check: 'isolation', level: 'ok', fact };
  }
  return {
    check: 'isolation',
    level: 'warn',
    fact: `running as uid ${uid}: all services share it and are not isolated from one another`,
    remedy:
      'run the container as root where services must not read each other; Bulkhead gives each its own user',
  };
}

/** PostgreSQL's parallel queries share memory there; what Docker gives by default is the least that works. */
function examineSharedMemory(): Finding {
  if (!existsSync('/dev/shm')) {
    return { check: 'shm', level: 'warn', fact: 'there is no /dev/shm', remedy: 'mount a tmpfs at /dev/shm' };
  }
  const { blocks, bsize } = statfsSync('/dev/shm');
  const fact = `/dev/shm has ${formatSize(blocks * bsize)}`;
  if (blocks * bsize >= 64 * MB) return { check: 'shm', level: 'ok', fact };
  return {
    check: 'shm',
    level: 'warn',
    fact,
    remedy: 'docker run --shm-size=64m, or more for large parallel queries',
  };
}

function examineMemoryLimit(): readonly Finding[] {
  const path = '/sys/fs/cgroup/memory.max';
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : 'max';
  if (!/^\d+$/.test(text)) return [];
  const limit = Number(text);
  const fact = `memory is limited to ${formatSize(limit)}`;
  if (limit >= 384 * MB) return [{ check: 'memory', level: 'ok', fact }];
  return [
    {
      check: 'memory',
      level: 'warn',
      fact,
      remedy: 'give the container at least 384 MB: docker run --memory=512m',
    },
  ];
}
