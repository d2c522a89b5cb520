/** The front door: argv in, exit code out. It opens one room, lazily, and is the only place that ends the process. */
import { enableCompileCache } from 'node:module';

// Beside the bundle, not under a home that may not exist; where it cannot be written it is only read.
enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? `${import.meta.dirname}/cache`);

const [command, name] = process.argv.slice(2);
if (command === 'program') {
  const { runProgram } = await import('./database/programs.ts');
  process.exit(await runProgram(name ?? ''));
}
const { runCli } = await import('./cli/cli.ts');
const code = await runCli(process.argv.slice(2));
process.exitCode = code;
