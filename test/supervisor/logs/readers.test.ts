import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../src/protocol/control.ts';
import { openFixture, settle } from './fakes.ts';

describe('the last lines', () => {
  it('of all services come in the order of their times', async () => {
    const { attach, logs, clock } = openFixture();
    const app = attach('app');
    const database = attach('database');
    app.stdout.send('1\n');
    clock.advance(1);
    database.stderr.send('2\n');
    clock.advance(1);
    app.stdout.send('3\n4\n');
    expect(logs.tail(undefined, 3).map(({ service, stream, line }) => [service, stream, line])).toEqual([
      ['database', 'stderr', '2'],
      ['app', 'stdout', '3'],
      ['app', 'stdout', '4'],
    ]);
    expect(logs.tail(['app'], 10).map(({ line }) => line)).toEqual(['1', '3', '4']);
    expect(logs.tail(['nobody'], 10)).toEqual([]);
    expect(logs.lastLine('app')).toBe('4');
    expect(logs.lastLine('nobody')).toBeUndefined();
  });

  it('of a service that writes records is the message, where one line is asked for', () => {
    const { attach, logs } = openFixture();
    attach('app').stdout.send('{"level":50,"msg":"no database","pid":3}\n');
    expect(logs.lastLine('app')).toBe('no database');
    expect(logs.tail(['app'], 1)[0]?.line).toContain('"level":50');
  });

  it('cost bounded memory, and the oldest that is shown is whole', () => {
    const { attach, logs } = openFixture({ openEnds: () => () => undefined });
    const { stdout } = attach('app');
    for (let count = 0; count < 2000; count += 1) stdout.send(`line number ${count}\n`);
    const lines = logs.tail(['app'], 5000).map(({ line }) => line);
    expect(lines.length).toBeGreaterThan(400);
    expect(lines.length).toBeLessThan(1000);
    expect(lines).toEqual(lines.map((_, index) => `line number ${2000 - lines.length + index}`));
  });

  it('are there after one chunk that is larger than their memory', () => {
    const { attach, logs } = openFixture();
    attach('app').stdout.send(`${`${'x'.repeat(99)}\n`.repeat(9000)}the end\n`);
    expect(logs.lastLine('app')).toBe('the end');
    expect(logs.tail(['app'], 1000).at(0)?.line).toBe('x'.repeat(99));
  });
});

describe('lines that memory no longer holds', () => {
  it('come from the file, none twice and none missing, also while it is behind', async () => {
    const { attach, logs, file } = openFixture();
    const { stdout } = attach('app');
    for (let count = 0; count < 3000; count += 1) stdout.send(`line number ${count}\n`);
    await settle();
    file('app').holding = true;
    for (let count = 3000; count < 3010; count += 1) stdout.send(`line number ${count}\n`);
    const lines = logs.tail(['app'], 5000).map(({ line }) => line);
    expect(lines).toEqual(Array.from({ length: 3010 }, (_, index) => `line number ${index}`));
    expect(logs.tail(['app'], 2999)).toHaveLength(2999);
  });

  it('may all be the same line, with one time', async () => {
    const { attach, logs } = openFixture();
    attach('app').stdout.send('again\n'.repeat(5000));
    await settle();
    expect(logs.tail(['app'], 10_000)).toHaveLength(5000);
  });

  it('are not told twice though a full disk has left a gap in the file', async () => {
    const { attach, logs, file } = openFixture();
    const { stdout } = attach('app');
    for (let count = 0; count < 100; count += 1) stdout.send(`line number ${count}\n`);
    await settle();
    file('app').text = file('app').text.replace(/line number 5\d\n/, 'a gap\n');
    expect(logs.tail(['app'], 1000)).toHaveLength(100);
  });

  it('include those of an earlier boot, though the service has not written yet', () => {
    const { logs, file } = openFixture();
    file('app').text = '2025-12-31T23:59:59.000Z stdout F earlier\ntorn or foreign\n';
    expect(logs.tail(['app'], 10).map(({ line }) => line)).toEqual(['earlier']);
    expect(logs.tail(undefined, 10).map(({ service }) => service)).toEqual(['app']);
    expect(logs.lastLine('app')).toBeUndefined();
  });
});

describe('following', () => {
  it('tells each line of the services asked for, until it is ended', () => {
    const { attach, logs } = openFixture();
    const lines: LogLine[] = [];
    const stop = logs.follow(['app'], (line) => lines.push(line));
    const app = attach('app');
    attach('other').stdout.send('not this\n');
    app.stdout.send('one\ntw');
    app.stdout.send('o\r\n');
    stop();
    app.stdout.send('three\n');
    expect(lines.map(({ line }) => line)).toEqual(['one', 'two']);
    expect(lines[0]).toEqual({
      time: '2026-01-01T00:00:00.000Z',
      service: 'app',
      stream: 'stdout',
      line: 'one',
    });
  });

  it('tells our own lines as notes', () => {
    const { logs } = openFixture();
    const lines: LogLine[] = [];
    logs.follow(undefined, (line) => lines.push(line));
    logs.own('info', 'ready');
    expect(lines.map(({ service, stream, line }) => [service, stream, line])).toEqual([
      ['bulkhead', 'note', 'INFO  ready'],
    ]);
  });

  it('ends for a reader that throws, and for nobody else', async () => {
    const { attach, logs, output } = openFixture();
    let seen = 0;
    logs.follow(undefined, () => {
      throw new Error('broken reader');
    });
    logs.follow(['app'], () => {
      seen += 1;
    });
    attach('app').stdout.send('one\ntwo\n');
    await settle();
    expect(seen).toBe(2);
    expect(output.text).toContain('a reader of the log failed: broken reader');
  });
});

describe('waiting for a line', () => {
  it('calls once, though the line comes in two chunks and comes again', () => {
    const { attach, logs } = openFixture();
    const found: string[] = [];
    logs.onMatch('app', 1, /^ready on \d+$/g, (line) => found.push(line));
    const { stdout, stderr } = attach('app');
    stdout.send('almost ready\nready o');
    expect(found).toEqual([]);
    stderr.send('n 3000\n');
    stdout.send('n 3000\nready on 3001\n');
    expect(found).toEqual(['ready on 3000']);
  });

  it('does not take an older generation’s word for it, nor another service’s', () => {
    const { attach, logs } = openFixture();
    const old = attach('app', 1);
    const other = attach('other', 2);
    const found: string[] = [];
    logs.onMatch('app', 2, /ready/, (line) => found.push(line));
    old.stdout.send('ready 1\n');
    other.stdout.send('ready 2\n');
    attach('app', 2).stdout.send('ready 3\n');
    expect(found).toEqual(['ready 3']);
  });

  it('can be given up', () => {
    const { attach, logs } = openFixture();
    const found: string[] = [];
    logs.onMatch('app', 1, /ready/, (line) => found.push(line))();
    attach('app').stdout.send('ready\n');
    expect(found).toEqual([]);
  });
});
