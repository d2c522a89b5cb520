// launch.ts PROGRAM LANDLOCK PORT: starts the program as a browser without its sandbox, and says how that went.
import { launchBrowser } from '../../src/browser/launch.ts';

const [program = '', landlock, proxyPort] = process.argv.slice(2);
const surroundings = { noSandbox: 'for a trial', landlock: Number(landlock), smallSharedMemory: false };
await launchBrowser({ program, proxyPort: Number(proxyPort), surroundings, timeoutMs: 20_000 }).then(
  ({ kill }) => kill(),
  (error: Error) => console.log(error.message),
);
