type Environment = Readonly<Record<string, string | undefined>>;

/** How this program is called where we run: beside the checkout's own packages it is not on the PATH, and npm finds it. */
export function commandName({ BULKHEAD_COMMAND: given, npm_execpath: npm }: Environment): string {
  if (given !== undefined && given !== '') return given;
  return npm === undefined || npm === '' ? 'bulkhead' : 'npx bulkhead';
}

// A command of ours in a sentence, not the product: what follows begins a command's name or an option.
// In a container it is on the PATH, wherever the person is. What bears the local name already keeps it.
const CALL = /(?<![\w/-]|CONTAINER |npx )bulkhead (?=[a-z]|-)/g;
// In a checkout only `npm start` knows where the plan and the app are.
const UP = /(?<![\w/-]|CONTAINER |npx )bulkhead up(?: --data (\S*[^\s.,;)]))?(?![\w-]| -)/g;

/** A sentence of advice, whose commands are written `bulkhead …`, with the name that works here. */
export function localAdvice(text: string, env: Environment): string {
  const name = commandName(env);
  if (name === 'bulkhead') return text;
  return (name === 'npx bulkhead' ? text.replaceAll(UP, startOf) : text).replaceAll(CALL, `${name} `);
}

function startOf(_call: string, volume: string | undefined): string {
  return volume === undefined ? 'npm start' : `BULKHEAD_DATA=${volume} npm start`;
}
