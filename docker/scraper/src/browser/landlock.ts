/**
 * Landlock, the kernel's own way for a program to give up rights for itself and all it starts: landlock(7). It asks for
 * no privilege, Docker's default profile allows it, and it cannot be taken back.
 */
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { addRule, createRuleset, prctl, restrict } from './native.ts';

export interface Rights {
  /** May be read and executed, with all below. What is not there is passed over, here and below. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** The one TCP port that may be connected to. */
  readonly port: number;
}

// The same numbers on every machine Linux runs on.
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;
const VERSION = 1;
const PATH_BENEATH = 1;
const NET_PORT = 2;
const PR_SET_NO_NEW_PRIVS = 38;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

const EXECUTE = 1 << 0;
const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const READ_DIR = 1 << 3;
const TRUNCATE = 1 << 14;
const READ = EXECUTE | READ_FILE | READ_DIR;
/** Everything there is to a file system: 13 rights in the first version, then links from elsewhere, then truncation. */
const rightsOf = (version: number) => (1 << (version >= 3 ? 15 : version === 2 ? 14 : 13)) - 1;
const CONNECT_TCP = 2;
const BIND_TCP = 1;
/** Sockets in the abstract namespace, and signals. */
const SCOPES = 3;

/** Of the kernel; 0: it has none, or may not be asked for it. */
export function landlockVersion(): number {
  return Math.max(0, createRuleset(CREATE_RULESET, null, 0, VERSION));
}

/**
 * From now on this thread, and whatever it becomes or starts, reads, writes and connects to nothing else. And whatever
 * it may do to processes of its own kind, it can do to no process that is not of it: no ptrace(2), none of their memory
 * and environment in /proc, and from version 6 on no signal.
 * @throws where the kernel refuses; nothing is restricted then
 */
export function restrictSelf(rights: Rights, version: number): void {
  const files = rightsOf(version);
  const attributes = Buffer.alloc(version >= 6 ? 24 : version >= 4 ? 16 : 8);
  attributes.writeBigUInt64LE(BigInt(files));
  // Versions 4 and 6 brought the network and the scopes.
  if (version >= 4) attributes.writeBigUInt64LE(BigInt(CONNECT_TCP | BIND_TCP), 8);
  if (version >= 6) attributes.writeBigUInt64LE(BigInt(SCOPES), 16);
  const ruleset = createRuleset(CREATE_RULESET, attributes, attributes.length, 0);
  if (ruleset < 0) throw new Error('the kernel takes no ruleset');
  const allow = (path: string, wanted: number): void => {
    if (!existsSync(path)) return;
    const own = statSync(path).isDirectory()
      ? wanted
      : wanted & (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE);
    const fd = openSync(path, O_PATH | O_CLOEXEC);
    const rule = Buffer.alloc(12);
    rule.writeBigUInt64LE(BigInt(own & files));
    rule.writeInt32LE(fd, 8);
    const refused = addRule(ADD_RULE, ruleset, PATH_BENEATH, rule, 0) !== 0;
    closeSync(fd);
    if (refused) throw new Error(`the kernel takes no rule for ${path}`);
  };
  for (const path of rights.readable) allow(path, READ);
  for (const path of rights.writable) allow(path, files);
  if (version >= 4) {
    const rule = Buffer.alloc(16);
    rule.writeBigUInt64LE(BigInt(CONNECT_TCP));
    rule.writeBigUInt64LE(BigInt(rights.port), 8);
    if (addRule(ADD_RULE, ruleset, NET_PORT, rule, 0) !== 0)
      throw new Error('the kernel takes no rule for a port');
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (restrict(RESTRICT_SELF, ruleset, 0) !== 0) throw new Error('the kernel refuses to restrict us');
  closeSync(ruleset);
}
