type Environment = Readonly<Record<string, string | undefined>>;

/** How this program is called where we run: beside the checkout's own packages it is not on the PATH, and npm finds it. */
export function commandName({ BULKHEAD_COMMAND: given, npm_execpath: npm }: Environment): string {
  if (given !== undefined && given !== '') return given;
  return npm === undefined || npm === '' ? 'bulkhead' : 'npx bulkhead';
}

// A command of ours in a sentence, not the product: what follows begins a command's name or an option.
// In a container it is on the PATH, wherever the person is.
const CALL = /(?<![\w/-]|CONTAINER )bulkhead (?=[a-z]|-)/g;

/** A sentence of advice, whose commands are written `bulkhead …`, with the name that works here. */
export function localAdvice(text: string, env: Environment): string {
  const name = commandName(env);
  return name === 'bulkhead' ? text : text.replaceAll(CALL, `${name} `);
}
