/** What counts as a secret, and how it is kept out of everything people are shown. */

const SECRET_NAME =
  /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|_KEY$|_DSN$|^DSN$|_PAT$)|^(DATABASE|REDIS|POSTGRES|POSTGRESQL|PG|DB|MONGO|MONGODB|AMQP|SMTP|DIRECT)_(URL|URI)$/i;

/** Secret by its name: shown masked, and readable from `NAME_FILE` as well. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/_FILE$/i.test(name);
}

export const MASK = '********';

/** Replaces known secret values and passwords of URLs in any text. */
export function hideSecrets(text: string, secrets: Iterable<string>): string {
  let hidden = text;
  // The longest first: a secret may hold another one.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 3) hidden = hidden.replaceAll(secret, MASK);
  }
  return hideUrlPassword(hidden, () => MASK);
}

/**
 * Stars out what a line of a file gives as a secret, character by character, so that columns stay true.
 * Interpolations (`${…}`) stay: they name a variable, not its value.
 */
export function hideSecretsOfLine(line: string): string {
  const hidden = line.replace(
    /((?:^|[\s{,"'-])([A-Za-z_][A-Za-z0-9_]*)["']?(?::\s+|=)["']?)([^\s"',}#][^"',}#]*)/g,
    (whole, head: string, name: string, value: string) =>
      isSecretName(name) && !value.includes('$') ? head + stars(value) : whole,
  );
  return hideUrlPassword(hidden, stars);
}

function hideUrlPassword(text: string, mask: (password: string) => string): string {
  return text.replace(
    /([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*:)([^\s@"'/${}]+)(@)/gi,
    (_, head: string, password: string, tail: string) => head + mask(password) + tail,
  );
}

function stars(text: string): string {
  return text.replaceAll(/\S/g, '*');
}
