import { describe, expect, it } from 'vitest';
import type { FileEvent, RestraintEvent } from '../../../src/supervisor/logs/ports.ts';
import { openFixture, settle } from './fakes.ts';

const LINE = `${'x'.repeat(99)}\n`;
const PIECE = LINE.repeat(2621);
const isFlood = (line: string) => line.endsWith('x'.repeat(99));
const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

function open() {
  const restraints: RestraintEvent[] = [];
  const told: FileEvent[] = [];
  const fixture = openFixture({
    restrained: (event) => restraints.push(event),
    fileTold: (event) => told.push(event),
    waits: { read: () => ({ ran: 100, waited: 400 }) },
  });
  const app = fixture.attach('app');
  /** Pieces of 262 KB, one each 10 ms, as far as they are read. Returns how many lines that were. */
  const flood = async (pieces: number): Promise<number> => {
    let sent = 0;
    for (let piece = 0; piece < pieces; piece += 1) {
      if (app.stdout.paused === app.stdout.resumed) {
        app.stdout.send(PIECE);
        sent += 2621;
        await settle();
      }
      fixture.clock.advance(10);
    }
    return sent;
  };
  return { ...fixture, app, flood, restraints, told };
}

describe('a loud service whose file cannot be written', () => {
  it('is shown in full, for nothing else has its lines, and read more slowly instead', async () => {
    const { file, flood, output, restraints, logs } = open();
    file('app').error = full;
    const sent = await flood(100);
    expect(output.lines.filter(isFlood)).toHaveLength(sent);
    expect(logs.stats().files.app?.hidden).toBe(0);
    expect(restraints.map(({ what, hasFile }) => [what, hasFile])).toEqual([['held', false]]);
    const said = file('bulkhead').lines.filter((line) => line.includes('processor time'));
    expect(said).toHaveLength(1);
    expect(said[0]).not.toMatch(/nothing is lost|its file has all/);
  });

  it('is shown in full from when its file fails, which is said of it anew', async () => {
    const { file, flood, output, restraints } = open();
    await flood(70);
    file('app').error = full;
    await flood(1);
    const before = output.lines.filter(isFlood).length;
    const sent = await flood(40);
    expect(output.lines.filter(isFlood).length - before).toBe(sent);
    expect(restraints.slice(0, 2)).toMatchObject([
      { what: 'hidden', hasFile: true },
      { what: expect.stringMatching(/hidden|held/), hasFile: false },
    ]);
  });

  it('is told with the cause, once, and when it is well again', async () => {
    const { file, told, app, clock } = open();
    file('app').error = full;
    app.stdout.send('one\n');
    await settle();
    clock.advance(30_000);
    await settle();
    expect(told).toEqual([{ service: 'app', cause: full.message }]);
    file('app').error = undefined;
    clock.advance(30_000);
    await settle();
    expect(told.slice(1)).toEqual([{ service: 'app', cause: undefined }]);
  });
});

describe('what standard output had to drop', () => {
  const drop = async ({ output, app }: ReturnType<typeof open>) => {
    output.holding = true;
    for (let sent = 0; sent < 40; sent += 1) {
      app.stdout.send(PIECE);
      await settle();
    }
    output.letGo();
    await settle();
    return output.lines.find((line) => line.includes('of standard output')) ?? '';
  };

  it('is said to be in the files where it is', async () => {
    expect(await drop(open())).toMatch(/dropped \d+ lines of standard output: .*; the files have them /);
  });

  it('is not said to be in a file that cannot be written, or that missed lines since', async () => {
    const fixture = open();
    fixture.file('app').error = full;
    expect(await drop(fixture)).toMatch(/; the log file of app misses lines too /);
  });

  it('is never a line of our own: it stands where it was said', async () => {
    const fixture = open();
    const { output, logs, app } = fixture;
    output.holding = true;
    app.stdout.send('before\n');
    logs.own('warn', 'cannot write: the disk is full');
    await drop(fixture);
    const of = (text: string) => output.lines.findIndex((line) => line.includes(text));
    expect(of('the disk is full')).toBeGreaterThan(-1);
    expect(of('the disk is full')).toBeLessThan(output.lines.findIndex(isFlood));
    const { outputDropped } = logs.stats();
    expect(output.lines.filter(isFlood).length + outputDropped).toBeLessThanOrEqual(40 * 2621 + 1);
    expect(output.text).toContain(`dropped ${outputDropped} lines`);
  });
});
