const SGR = /\x1b\[[0-9;:]*m/g;
/** C0 but tab, DEL, and C1: what a terminal obeys instead of showing. */
const OBEYED = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;
/** Direction overrides make a line read other than it is. */
const OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A service's line as text no terminal obeys: control characters become `\x1b`-like words, so that a log can neither
 * move the cursor, set the title nor answer in the reader's name. Colours pass only where `colour` is true.
 */
export function makePrintable(line: string, colour: boolean): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (!colour) return escapeControls(text.replace(SGR, ''));
  let result = '';
  let from = 0;
  for (const match of text.matchAll(SGR)) {
    result += escapeControls(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  if (from === 0) return escapeControls(text);
  // What the service leaves switched on ends with its line.
  return `${result}${escapeControls(text.slice(from))}\x1b[0m`;
}

function escapeControls(text: string): string {
  return text
    .replace(OBEYED, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(OVERRIDES, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
