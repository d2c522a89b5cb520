/** What of an environment file travels readable, what only encrypted, and what not at all. Pure. */
import { hideSecretsOfLine, isSecretName } from '../config/secrets.ts';

export interface SplitEnvironment {
  /** Without secrets. */
  readonly plain: string;
  /** With them; equal to `plain` where there are none. */
  readonly whole: string;
  /** Names of the secrets. */
  readonly secrets: readonly string[];
  /** Names that belong to the old host alone: the address of its database. */
  readonly ofOldHost: readonly string[];
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$/s;
const KEY_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1/;
/** The new host makes its own; the old one, left in, would let the application write into the database it left. */
const DATABASE_ADDRESS = /^DATABASE_URL(_FILE)?$/;

/** @param address the DATABASE_URL in use: a variable of another name that holds it goes the same way */
export function splitEnvironment(text: string, address: string | undefined): SplitEnvironment {
  const plain: string[] = [];
  const whole: string[] = [];
  const secrets: string[] = [];
  const ofOldHost: string[] = [];
  for (const { name, value, source } of readEntries(text)) {
    if (name !== undefined && (DATABASE_ADDRESS.test(name) || (address !== undefined && value === address))) {
      ofOldHost.push(name);
      for (const lines of [plain, whole]) lines.push(`# ${name} was left out: the new host has its own`);
      continue;
    }
    whole.push(source);
    const line = source.trimStart();
    const isSecret =
      name === undefined
        ? line !== '' &&
          (KEY_TEXT.test(line) || hideSecretsOfLine(line.replace(/^#\s*/, '')) !== line.replace(/^#\s*/, ''))
        : isSecretName(name) || KEY_TEXT.test(source) || hideSecretsOfLine(source) !== source;
    if (!isSecret) plain.push(source);
    else {
      secrets.push(name ?? 'a comment');
      plain.push(name === undefined ? '# a comment with a secret was left out' : `# ${name} was left out`);
    }
  }
  return { plain: plain.join('\n'), whole: whole.join('\n'), secrets, ofOldHost };
}

interface Entry {
  /** Undefined: a comment, an empty line. */
  readonly name: string | undefined;
  /** Without quotes. */
  readonly value: string;
  /** As it stands there; several lines where a quoted value has them. */
  readonly source: string;
}

function readEntries(text: string): Entry[] {
  const entries: Entry[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const first = lines[index] ?? '';
    const [, name, rest = ''] = ASSIGNMENT.exec(first) ?? [];
    const quote = name === undefined ? undefined : /^["'`]/.exec(rest)?.[0];
    if (name === undefined || quote === undefined || rest.indexOf(quote, 1) > 0) {
      entries.push({ name, value: unquote(rest), source: first });
      continue;
    }
    // As Node's parseEnv: a quoted value goes on to its closing quote, if there is one at all.
    const end = lines.findIndex((line, at) => at > index && line.includes(quote));
    const last = end < 0 ? index : end;
    const source = lines.slice(index, last + 1).join('\n');
    entries.push({ name, value: unquote(source.slice(source.indexOf('=') + 1)), source });
    index = last;
  }
  return entries;
}

function unquote(text: string): string {
  const value = text.trim();
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote === undefined) return value;
  const end = value.indexOf(quote, 1);
  return end < 0 ? value : value.slice(1, end);
}
