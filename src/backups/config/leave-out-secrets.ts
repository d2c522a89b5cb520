/** What of a configuration file may lie in an archive that anybody can read. Pure. */
import { hideSecretsOfLine, isSecretName } from '../../config/secrets.ts';

export interface Cleaned {
  /** Undefined: nothing of it. */
  readonly content: Buffer | undefined;
  /** What was left out, for people: `line 3`, `the whole file: it holds a private key`. */
  readonly leftOut: readonly string[];
}

const KEY_FILE =
  /\.(key|pem|p12|pfx|jks|kdbx|age)$|^id_(rsa|dsa|ecdsa|ed25519)$|^\.?(pgpass|netrc|htpasswd)$/i;
const KEY_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1/;
/** A secret's value that begins here and goes on below: a block of YAML, an open quote. */
const OPEN_VALUE = /[:=]\s*([|>][+-]?\d?|["'](?:[^"'\\]|\\.)*|)\s*$/;

export function leaveOutSecrets(name: string, content: Buffer): Cleaned {
  const whole = (why: string): Cleaned => ({ content: undefined, leftOut: [`the whole file: ${why}`] });
  const word = name.replace(/\.[^.]*$/, '').replaceAll(/[^A-Za-z0-9]+/g, '_');
  if (KEY_FILE.test(name) || isSecretName(word)) return whole('its name is that of a secret');
  if (content.includes(0)) return whole('it is no text');
  const text = content.toString('utf8');
  if (KEY_TEXT.test(text)) return whole('it holds a private key');
  const leftOut: string[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const named = /([A-Za-z_][A-Za-z0-9_]*)["']?\s*[:=]/.exec(line)?.[1] ?? '';
    if (isSecretName(named) && !line.trimStart().startsWith('#') && OPEN_VALUE.test(line)) {
      const next = lines[index + 1] ?? '';
      if (!/[:=]\s*$/.test(line) || indentOf(next) > indentOf(line))
        return whole(`line ${index + 1} begins a secret of several lines`);
    }
    const hidden = hideSecretsOfLine(line);
    if (hidden === line) continue;
    lines[index] = hidden;
    leftOut.push(`line ${index + 1}`);
  }
  return { content: leftOut.length === 0 ? content : Buffer.from(lines.join('\n')), leftOut };
}

function indentOf(line: string): number {
  return line.trim() === '' ? 0 : line.length - line.trimStart().length;
}
