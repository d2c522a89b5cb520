/** What counts as a secret, and how it is kept out of everything people are shown. */

const SECRET_NAME =
  /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|_KEY$|_DSN$|^DSN$|_PAT$|WEBHOOK|HEARTBEAT_URL)|^(DATABASE|REDIS|POSTGRES|POSTGRESQL|PG|DB|MONGO|MONGODB|AMQP|SMTP|DIRECT)_(URL|URI)$/i;

/** Secret by its name: shown masked, and readable from `NAME_FILE` as well. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/_FILE$/i.test(name);
}

/** Shorter values are hidden where they stand, not searched for: `app` as a password would star out half a message. */
const MIN_LENGTH = 8;

export const MASK = '********';

/** Replaces known secret values and passwords of URLs in any text. */
export function hideSecrets(text: string, secrets: Iterable<string>): string {
  let hidden = text;
  // The longest first: a secret may hold another one.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= MIN_LENGTH) hidden = hidden.replaceAll(secret, MASK);
  }
  return hideByForm(hidden, () => MASK);
}

/**
 * Stars out what a line of a file gives as a secret, character by character, so that columns stay true.
 * Interpolations (`${…}`) stay: they name a variable, not its value.
 */
export function hideSecretsOfLine(line: string): string {
  const named = /(^|[\s{[,"'-])([A-Za-z_][A-Za-z0-9_]*)["']?\s*[:=]\s*/g;
  for (const match of line.matchAll(named)) {
    if (!isSecretName(match[2] ?? '')) continue;
    const start = match.index + match[0].length;
    // Inside brackets the next value starts at the comma; elsewhere a secret may hold any character.
    const inside = /[{[]/.test(line.slice(0, match.index + 1));
    const length = inside ? line.slice(start).search(/[,}\]]|$/) : line.length - start;
    const value = line.slice(start, start + length);
    if (/^["']?\$\{?[A-Za-z_]/.test(value)) continue;
    const hidden = `${line.slice(0, start)}${stars(value)}${line.slice(start + length)}`;
    return hideByForm(inside ? hideSecretsOfRest(hidden, start + length) : hidden, stars);
  }
  return hideByForm(line, stars);
}

function hideSecretsOfRest(line: string, from: number): string {
  // The bracket keeps the rest inside.
  return from >= line.length
    ? line
    : line.slice(0, from) + hideSecretsOfLine(`[${line.slice(from)}`).slice(1);
}

/** What is a secret by how it looks, wherever it stands: the password of a URL, the secret key of age. */
function hideByForm(text: string, mask: (secret: string) => string): string {
  return hideUrlPassword(text, mask).replace(/AGE-SECRET-KEY-1[A-Z0-9]+/gi, mask);
}

function hideUrlPassword(text: string, mask: (password: string) => string): string {
  return text.replace(
    /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"']*:)([^\s@"'/${}]+)(@)/gi,
    (_, head: string, password: string, tail: string) => head + mask(password) + tail,
  );
}

function stars(text: string): string {
  return text.replaceAll(/\S/g, '*');
}
