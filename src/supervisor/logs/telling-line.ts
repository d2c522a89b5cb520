const NAMES_A_CAUSE = /\b(?:\w*Error|\w*Exception|error|fatal|panic)\b/i;
/** What Node writes below a stack and what closes the object it printed there. */
const SAYS_NOTHING = /^(?:Node\.js v[\d.]+|[\s{}[\]();,]*)$/;
/** A frame of a stack, which may name an error's class without saying what went wrong. */
const FRAME = /^\s+at /;

/** Of a run's last lines, oldest first, the one that tells best why it ended; undefined where none says anything. */
export function tellingLine(lines: readonly string[]): string | undefined {
  const speaking = lines.filter((line) => !SAYS_NOTHING.test(line.trim()) && !FRAME.test(line));
  return speaking.findLast((line) => NAMES_A_CAUSE.test(line)) ?? speaking.at(-1);
}
