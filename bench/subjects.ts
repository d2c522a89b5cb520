/** The containers that are measured side by side: Bulkhead's, and the two of what users have today. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { docker, freePorts, IMAGE, type Ports } from '../test/image/container.ts';

/** Rows of the shipped sample. */
export const ROWS = 16_765;

export const SUBJECTS = ['bulkhead', 'owner', 'careful'] as const;
export type Subject = (typeof SUBJECTS)[number];

export const imageOf = (subject: Subject): string =>
  subject === 'bulkhead' ? IMAGE : `bulkhead-bench:${subject}`;

export interface Boot {
  readonly name: string;
  readonly volume: string;
  readonly ports: Ports;
}

/** Runs the Docker client. @throws where it fails, with what it said */
export async function mustDocker(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(argv);
  if (code !== 0) throw new Error(`docker ${argv.join(' ')} ended ${code}: ${stderr}`);
  return stdout.trim();
}

/** Builds what users have today out of the app and the sample of the image under test. */
export async function buildRivals(): Promise<void> {
  for (const subject of ['owner', 'careful'] as const) {
    const context = join(import.meta.dirname, 'containers', subject);
    const argument = ['--build-arg', `BULKHEAD_IMAGE=${IMAGE}`];
    await mustDocker(['build', '-q', '--network', 'host', ...argument, '-t', imageOf(subject), context]);
  }
}

const prepared = new Set<Boot>();
// A measurement that is broken off leaves nothing behind either.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await Promise.all([...prepared].map(remove));
    process.exit(130);
  });
}

/** A name, ports and an empty volume, for one container. */
export async function prepare(): Promise<Boot> {
  const name = `bulkhead-bench-${randomBytes(4).toString('hex')}`;
  await mustDocker(['volume', 'create', name]);
  const boot: Boot = { name, volume: name, ports: await freePorts() };
  prepared.add(boot);
  return boot;
}

export async function remove(boot: Boot): Promise<void> {
  await docker(['rm', '-f', boot.name]);
  await docker(['volume', 'rm', '-f', boot.volume]);
  prepared.delete(boot);
}

/** `docker run` with everything at its default but the ports. */
export async function run(subject: Subject, { name, volume, ports }: Boot): Promise<void> {
  const env =
    subject === 'bulkhead'
      ? { PORT: ports.app, BULKHEAD_PORT: ports.probes, BULKHEAD_DB_PORT: ports.database }
      : { PORT: ports.app, PGPORT: ports.database };
  const flags = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const mount = ['--volume', `${volume}:/data`];
  await mustDocker(['run', '-d', '--name', name, '--network', 'host', ...mount, ...flags, imageOf(subject)]);
}

/** Whether the app answers with every row and, of Bulkhead, /readyz with 200. */
export async function isUp(subject: Subject, ports: Ports): Promise<boolean> {
  if ((await countTools(ports)) !== ROWS) return false;
  return subject !== 'bulkhead' || (await ask(`http://127.0.0.1:${ports.probes}/readyz`)).status === 200;
}

/** Rows the app finds; -1 where it does not answer. */
export async function countTools(ports: Ports): Promise<number> {
  const { text } = await ask(`http://127.0.0.1:${ports.app}/api/tools`);
  try {
    const answer: { total?: number } = JSON.parse(text);
    return answer.total ?? -1;
  } catch {
    return -1;
  }
}

export async function pidOne(name: string): Promise<number> {
  return Number(await mustDocker(['inspect', '-f', '{{.State.Pid}}', name]));
}

/** Status 0: nothing answers. */
export async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return { status: 0, text: '' };
  }
}
