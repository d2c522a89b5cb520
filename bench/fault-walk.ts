/**
 * Every fault that tier full promises to tell of, on the real image: what /health, /metrics and the alerts said, after
 * how long, and after how long they said that it was over. Prints a table in Markdown.
 *
 *   node bench/fault-walk.ts [--only=app-killed,clock] [--at-once=4]
 *
 * Needs Docker, root, a C compiler and the image `bulkhead:full-test` (`npm run test:image`; BULKHEAD_TEST_FULL_IMAGE
 * names another). Thresholds are those of config/full.yaml, but for the clock's hour. Takes a quarter of an hour, most
 * of it waiting.
 */
import { closeSite, FAULTS } from './faults/faults.ts';
import { type Spoken, type Walked, walk } from './faults/walk.ts';
import { readOption } from './samples.ts';

const given = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const names = given?.split(',') ?? FAULTS.map(({ name }) => name);
const queue = FAULTS.filter(({ name }) => names.includes(name));
const walked: Walked[] = [];
const failed: string[] = [];

const workers = Array.from({ length: readOption('at-once', 4) }, async () => {
  for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
    console.error(`… ${fault.name}`);
    try {
      const result = await walk(fault);
      walked.push(result);
      console.error(`✔ ${fault.name}\n${describe(result)}`);
    } catch (error) {
      failed.push(String(error));
      console.error(`✘ ${String(error)}`);
    }
  }
});
await Promise.all(workers);
await closeSite();

console.log(
  '| fault | /health | /metrics | alert | over: /health | /metrics | alert |\n|---|---|---|---|---|---|---|',
);
for (const { fault, health, metric, alert, over } of walked) {
  const cells = [health, metric, alert, over.health, over.metric, over.alert].map(secondsOf);
  console.log(`| ${fault.what} | ${cells.join(' | ')} |`);
}
process.exitCode = failed.length === 0 ? 0 : 1;

function secondsOf({ after, words }: Spoken): string {
  if (after === undefined) return words === '' ? '–' : words;
  return `${after.toFixed(1)} s`;
}

function describe({ health, metric, alert, over, notes, history }: Walked): string {
  const lines = Object.entries({ health, metric, alert }).map(
    ([who, said]) => `  ${who}: ${secondsOf(said)} ${said.words}`,
  );
  const ends = Object.entries(over).map(([who, said]) => `  over: ${who}: ${secondsOf(said)} ${said.words}`);
  return [
    ...lines,
    ...ends,
    ...notes.map((note) => `  · ${note}`),
    ...history.map((one) => `  | ${one}`),
  ].join('\n');
}
