/** `deploy`: of Compose's words for a fleet those that mean something inside one container. */
import { integer, size } from './scalars.ts';
import { stanza } from './words.ts';

const ONE_HOST = 'there is one container, and it runs where it was started';

export const deploy = stanza(
  {
    replicas: {
      shape: integer(0, 1000),
      doc: 'How many of it run, as NAME-1, NAME-2 …; each finds its number in BULKHEAD_INSTANCE. NAME means all of them, also in depends_on.',
      examples: [3],
    },
    resources: {
      shape: stanza(
        {
          limits: {
            shape: stanza(
              {
                memory: {
                  shape: size,
                  doc: 'How much memory it and its children may use together, swap included. Where /sys/fs/cgroup is writable (cgroup v2) the kernel holds them to it, and kills them all when they need more; in a usual container it is not, and this is the same as memory_restart.',
                  examples: ['512m'],
                },
              },
              {
                idle: {
                  cpus: 'set it on the container itself, or write nice',
                  pids: 'write ulimits: { nproc: … }',
                },
              },
            ),
            doc: 'What it may use at most.',
          },
        },
        { idle: { reservations: 'there is nobody to reserve it from' } },
      ),
      doc: 'Limits of what it uses.',
    },
  },
  {
    refused: {
      restart_policy: 'write restart and backoff',
      update_config: 'use bulkhead restart --rolling NAME',
      rollback_config: 'take the change back and reload',
    },
    idle: {
      mode: ONE_HOST,
      placement: ONE_HOST,
      endpoint_mode: ONE_HOST,
      labels: 'nothing reads it',
    },
  },
);
