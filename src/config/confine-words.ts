/** What a process may do: its umask, its limits, the rights it keeps. */
import type { Confinement } from './plan-runs.ts';
import { flag, integer } from './scalars.ts';
import { byKind, listOf, mapOf, parsed, type Shape, wrong } from './shape.ts';
import { type Stanza, stanza } from './words.ts';

/** Octal, as umask(1) takes it. */
const umask: Shape<number> = parsed(
  'three octal digits such as 027',
  (text) => (/^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : undefined),
  {
    anyOf: [
      { type: 'string', pattern: '^0?[0-7]{3}$|\\$' },
      { type: 'integer', minimum: 0, maximum: 777 },
    ],
  },
);

const limit = integer(-1, Number.MAX_SAFE_INTEGER);

const softHard = stanza(
  {
    soft: { shape: limit, doc: 'What counts; the process may raise it up to hard. -1: no limit.' },
    hard: { shape: limit, doc: 'What nothing can raise. -1: no limit.' },
  },
  { required: ['soft', 'hard'] },
);

type Ulimit = Confinement['ulimits'][string];

/** One number for both, or a map, as in Compose. */
const ulimit: Shape<Ulimit> = {
  read(value, where, reading) {
    const read = byKind('a number, or a map with soft and hard', { scalar: limit, map: softHard }).read(
      value,
      where,
      reading,
    );
    if (read === undefined || typeof read === 'number') {
      return read === undefined ? undefined : { soft: read, hard: read };
    }
    const { soft, hard } = read;
    if (soft === undefined || hard === undefined) return undefined;
    if (hard >= 0 && (soft < 0 || soft > hard)) {
      return wrong(value, where, 'a soft limit that is not above the hard one', reading);
    }
    return { soft, hard };
  },
  schema: { anyOf: [limit.schema, softHard.schema] },
};

/** In the units of setrlimit(2): bytes, seconds, or how many. */
const ULIMITS =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  );

const ulimits = mapOf(ulimit, {
  key: { pattern: new RegExp(`^(${ULIMITS.join('|')})$`), wanted: `a limit is one of ${ULIMITS.join(', ')}` },
});

/** capabilities(7), those of Linux 5.9 and later. */
const CAPABILITIES =
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM'.split(
    ' ',
  );

const capabilities = listOf(
  parsed(
    'a capability such as NET_BIND_SERVICE, or ALL',
    (text) => {
      const name = text.toUpperCase().replace(/^CAP_/, '');
      return name === 'ALL' || CAPABILITIES.includes(name) ? name : undefined;
    },
    { type: 'string' },
  ),
);

export const confineWords = {
  umask: {
    shape: umask,
    doc: 'Which rights the files it makes do not get.',
    default: '022',
    examples: ['027'],
  },
  ulimits: {
    shape: ulimits,
    doc: 'Limits of setrlimit(2), none above those of the container.',
    examples: [{ nofile: 65_536, core: 0 }, { nofile: { soft: 1024, hard: 4096 } }],
  },
  cap_add: {
    shape: capabilities,
    doc: 'Capabilities it keeps, also as another user than root; without it, it has none and can gain none.',
    examples: [['NET_BIND_SERVICE']],
  },
  privileged: {
    shape: flag,
    doc: 'true: it may do all the container may, and setuid programs work. A change counts from the next start of the container.',
    default: false,
  },
} as const;

/** undefined: nothing was written, so it has a umask of 022, the container's limits, and no rights. */
export function buildConfinement(read: Stanza<typeof confineWords>): Confinement | undefined {
  const { umask: mask, ulimits: limits, cap_add: added, privileged = false } = read;
  if (mask === undefined && limits === undefined && added === undefined && !privileged) return undefined;
  return {
    umask: mask,
    ulimits: Object.fromEntries(limits ?? []),
    capabilities: added?.includes('ALL') ? 'all' : (added ?? []),
    privileged,
  };
}

/** As one would write it. */
export function confinementLines(confinement: Confinement | undefined): [string, string | undefined][] {
  if (confinement === undefined) return [];
  const { umask: mask, ulimits: limits, capabilities: kept, privileged } = confinement;
  return [
    ['umask', mask === undefined ? undefined : mask.toString(8).padStart(3, '0')],
    ...Object.entries(limits).map(([name, { soft, hard }]): [string, string] => [
      `ulimits.${name}`,
      soft === hard ? String(soft) : `${soft} (hard ${hard})`,
    ]),
    ['cap_add', kept === 'all' ? 'ALL' : kept.join(', ') || undefined],
    ['privileged', privileged ? 'true' : undefined],
  ];
}
