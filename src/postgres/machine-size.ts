/** What the container may use: memory, processors, shared memory, disk. */
import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { readCpuLimit, readMemoryLimit } from '../system/cgroup.ts';
import { freeBytes } from '../system/files.ts';

export interface MachineSize {
  /** Bytes: the smallest of the cgroup limits up the tree and the machine's memory. */
  readonly memory: number;
  readonly memorySource: 'cgroup' | 'machine';
  /** Whole ones: a quota of one and a half can keep two busy. */
  readonly cpus: number;
  /** Bytes of /dev/shm; Docker gives 64 MB. */
  readonly sharedMemory: number;
  /** Free bytes where the volume is. */
  readonly freeDisk: number;
}

export function readMachineSize(dataDir: string): MachineSize {
  const memory = readMemoryLimit();
  return {
    memory,
    memorySource: memory < totalmem() ? 'cgroup' : 'machine',
    cpus: Math.max(1, Math.ceil(readCpuLimit())),
    sharedMemory: sizeOfSharedMemory(),
    freeDisk: freeBytes(dataDir),
  };
}

function sizeOfSharedMemory(): number {
  try {
    const { bsize, blocks } = statfsSync('/dev/shm');
    return bsize * blocks;
  } catch {
    return 0;
  }
}
