import { describe, expect, it } from 'vitest';
import { openFixture, settle } from './fakes.ts';

const LINE = `${'x'.repeat(99)}\n`;
const MEGABYTE = LINE.repeat(10_485);

describe('a reader of standard output that does not read', () => {
  it('law 32: makes no service wait, costs bounded memory, and is told what it missed', async () => {
    const { attach, output, file, logs } = openFixture();
    const { stdout } = attach('app');
    output.holding = true;
    for (let sent = 0; sent < 20; sent += 1) {
      stdout.send(MEGABYTE);
      await settle();
    }
    expect(stdout.paused).toBe(stdout.resumed);
    expect(logs.stats().outputQueued).toBeLessThanOrEqual(4 * 1024 * 1024);
    const { outputDropped } = logs.stats();
    expect(outputDropped).toBeGreaterThan(100_000);
    stdout.send('newest\n');
    output.letGo();
    await settle();
    expect(output.text).toContain(` bulkhead | WARN  dropped ${outputDropped} lines of standard output`);
    expect(output.lines.at(-1)).toMatch(/newest$/);
    expect(output.lines.filter((line) => line.endsWith('x'.repeat(99))).length + outputDropped).toBe(
      20 * 10_485,
    );
    expect(file('app').lines).toHaveLength(20 * 10_485 + 1);
  });

  it('is told what it missed at once, then every ten seconds, and once more at the end', async () => {
    const { attach, output, clock, logs } = openFixture();
    const { stdout } = attach('app');
    const said = () =>
      [...output.text.matchAll(/dropped (\d+) lines of standard output/g)].map(([, n]) => Number(n));
    const miss = async () => {
      output.holding = true;
      for (let sent = 0; sent < 6; sent += 1) stdout.send(MEGABYTE);
      output.letGo();
      await settle();
    };
    await miss();
    expect(said()).toHaveLength(1);
    await miss();
    await miss();
    clock.advance(9_999);
    await settle();
    expect(said()).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(said()).toHaveLength(2);
    await miss();
    await logs.close(1000);
    expect(said()).toHaveLength(3);
    expect(said().reduce((sum, lines) => sum + lines, 0)).toBe(logs.stats().outputDropped);
  });

  it('is known to be gone after EPIPE: nothing more is written to it, and the file says so', async () => {
    const { attach, output, file, logs } = openFixture();
    const { stdout } = attach('app');
    output.error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    stdout.send('one\n');
    await settle();
    output.error = undefined;
    stdout.send('two\n');
    await settle();
    expect(output.text).toBe('');
    expect(logs.stats()).toMatchObject({ outputDropped: 2, outputQueued: 0 });
    expect(file('app').lines).toHaveLength(2);
    expect(file('bulkhead').text).toContain('standard output is gone: write EPIPE');
  });

  it('does not delay the end beyond its limit', async () => {
    const { attach, output, clock, logs, file } = openFixture();
    output.holding = true;
    attach('app').stdout.send('last\n');
    let closed = false;
    void logs.close(500).then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    clock.advance(500);
    await settle();
    expect(closed).toBe(true);
    expect(file('app').lines).toHaveLength(1);
  });
});

describe('a file that is behind', () => {
  it('makes its own service wait, and only that, until it has caught up', async () => {
    const { attach, file } = openFixture();
    const app = attach('app');
    const other = attach('other');
    file('app').holding = true;
    app.stdout.send(MEGABYTE);
    app.stdout.send(MEGABYTE);
    expect([app.stdout.paused, app.stderr.paused, other.stdout.paused]).toEqual([1, 1, 0]);
    file('app').letGo();
    await settle();
    expect([app.stdout.resumed, app.stderr.resumed]).toEqual([1, 1]);
    expect(file('app').lines).toHaveLength(2 * 10_485);
  });

  it('holds back a new generation of its service too', () => {
    const { attach, file } = openFixture();
    const app = attach('app');
    file('app').holding = true;
    app.stdout.send(MEGABYTE);
    app.stdout.send(MEGABYTE);
    expect(attach('app', 2).stdout.paused).toBe(1);
  });

  it('no longer holds back a service that has died: its last words are taken out of the pipe', () => {
    const { attach, file } = openFixture();
    const app = attach('app');
    file('app').holding = true;
    app.stdout.send(MEGABYTE);
    app.stdout.send(MEGABYTE);
    app.closeWithin(1000);
    expect([app.stdout.resumed, app.stderr.resumed]).toEqual([1, 1]);
    expect([app.stdout.closing, app.stderr.closing]).toEqual([1000, 1000]);
    app.stdout.send(MEGABYTE);
    expect(app.stdout.paused).toBe(1);
  });

  it('law 32: on a disk that hangs holds nobody back for longer than 5 s, and says what is missing when it is back', async () => {
    const { attach, file, clock, logs } = openFixture();
    const { stdout } = attach('app');
    file('app').holding = true;
    stdout.send(MEGABYTE);
    stdout.send(MEGABYTE);
    clock.advance(5000);
    expect([stdout.paused, stdout.resumed]).toEqual([1, 1]);
    for (let sent = 0; sent < 10; sent += 1) stdout.send(MEGABYTE);
    expect(stdout.paused).toBe(1);
    const { dropped, queued } = logs.stats().files.app ?? { dropped: 0, queued: 0 };
    expect(queued).toBeLessThanOrEqual(4 * 1024 * 1024);
    file('app').letGo();
    await settle();
    const lines = file('app').lines;
    expect(lines.some((line) => line.endsWith(` note F bulkhead: dropped ${dropped} lines`))).toBe(true);
    expect(lines.length - 1 + dropped).toBe(12 * 10_485);
    expect(file('bulkhead').text).toContain(`is written again lost=${dropped}`);
  });
});

describe('a file that cannot be written', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

  it('is complained of once, tried every 30 s, and loses nothing while little is held back', async () => {
    const { attach, file, clock } = openFixture();
    const { stdout } = attach('app');
    file('app').error = full;
    for (let sent = 1; sent <= 3; sent += 1) {
      stdout.send(`line ${sent}\n`);
      await settle();
    }
    clock.advance(30_000);
    await settle();
    expect(stdout.paused).toBe(0);
    expect(file('bulkhead').lines).toHaveLength(1);
    expect(file('bulkhead').text).toContain('cannot write the log file of app: ENOSPC');
    file('app').error = undefined;
    clock.advance(29_999);
    await settle();
    expect(file('app').text).toBe('');
    clock.advance(1);
    await settle();
    expect(file('app').lines.map((line) => line.slice(-6))).toEqual(['line 1', 'line 2', 'line 3']);
    expect(file('bulkhead').text).toContain('the log file of app is written again lost=0');
  });

  it('goes on where a short write stopped', async () => {
    const { attach, file, clock } = openFixture();
    const { stdout } = attach('app');
    file('app').error = full;
    file('app').short = 30;
    stdout.send('one line\n');
    await settle();
    file('app').error = undefined;
    stdout.send('two\n');
    clock.advance(30_000);
    await settle();
    expect(file('app').lines.map((line) => line.slice(25))).toEqual(['stdout F one line', 'stdout F two']);
  });

  it('ends a torn line before it goes on, when the rest of that line had to go', async () => {
    const { attach, file, clock, logs } = openFixture();
    const { stdout } = attach('app');
    file('app').error = full;
    file('app').short = 30;
    stdout.send('one line\n');
    await settle();
    for (let sent = 0; sent < 6; sent += 1) stdout.send(MEGABYTE);
    file('app').error = undefined;
    clock.advance(30_000);
    await settle();
    const [torn, gap, next] = file('app').lines;
    expect(torn).toBe('2026-01-01T00:00:00.000Z stdou');
    expect(gap).toMatch(/ note F bulkhead: dropped \d+ lines$/);
    expect(next).toMatch(/ stdout F x{99}$/);
    expect(logs.stats().files.app?.queued).toBe(0);
  });

  it('is tried once more at the end, which it does not hold up', async () => {
    const { attach, file, logs } = openFixture();
    file('app').error = full;
    attach('app').stdout.send('one\n');
    await settle();
    file('app').error = undefined;
    await logs.close(1000);
    expect(file('app').lines).toHaveLength(1);
    file('app').error = full;
  });
});

describe('reopening', () => {
  it('closes every file between two lines', async () => {
    const { attach, file, logs } = openFixture();
    const { stdout } = attach('app');
    stdout.send('one\n');
    await settle();
    logs.reopen();
    stdout.send('two\n');
    await settle();
    expect(file('app').released).toBe(1);
    expect(file('app').lines).toHaveLength(2);
  });
});
