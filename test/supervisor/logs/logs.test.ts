import { describe, expect, it } from 'vitest';
import { openFixture, settle } from './fakes.ts';

const TIME = '2026-01-01T00:00:00.000Z';

describe('the lines of services', () => {
  it('reach standard output with their service and their file with time and stream', async () => {
    const { attach, output, file } = openFixture();
    const { stdout, stderr } = attach('app');
    stdout.send('hello\n');
    stderr.send('oh\n');
    await settle();
    expect(output.lines).toEqual([`${TIME} app      | hello`, `${TIME} app      | oh`]);
    expect(file('app').lines).toEqual([`${TIME} stdout F hello`, `${TIME} stderr F oh`]);
  });

  it('stay whole when they come in two chunks, in the middle of a character', async () => {
    const { attach, output } = openFixture();
    const { stdout } = attach('app');
    const bytes = Buffer.from('déjà vu\n');
    stdout.send(bytes.subarray(0, 2));
    stdout.send(bytes.subarray(2));
    await settle();
    expect(output.lines).toEqual([`${TIME} app      | déjà vu`]);
  });

  it('are written though the last of them has no newline, before the service counts as drained', async () => {
    const { attach, file, logs } = openFixture();
    const { stdout, stderr, drained } = attach('app');
    stdout.send('dying: reason');
    stderr.end();
    stdout.end();
    await drained;
    expect(logs.lastLine('app')).toBe('dying: reason');
    await logs.close(1000);
    expect(file('app').lines).toEqual([`${TIME} stdout F dying: reason`]);
  });

  it('are cut on standard output and marked, while the file has every byte', async () => {
    const { attach, output, file } = openFixture();
    const { stdout } = attach('app');
    for (let sent = 0; sent < 10; sent += 1) {
      stdout.send('x'.repeat(1 << 20));
      await settle();
    }
    stdout.send('end\nnext\n');
    await settle();
    expect(output.lines).toHaveLength(2);
    expect(output.lines[0]).toMatch(/x … \[line longer than 64 KiB, cut here; the file has all of it\]$/);
    expect(output.lines[1]).toMatch(/\| next$/);
    const stored = file('app').lines;
    expect(stored.slice(0, -2).every((line) => line.includes(' stdout P '))).toBe(true);
    const bytes = stored
      .slice(0, -1)
      .map((line) => line.slice(TIME.length + ' stdout F '.length))
      .join('');
    expect(bytes).toBe(`${'x'.repeat(10 << 20)}end`);
  });

  it('cannot command a terminal: control characters are shown as words', async () => {
    const { attach, output } = openFixture();
    attach('app').stdout.send('a\x1b]0;title\x07b\x00c\x7f\x9b2J \u202egnp.exe\r\n');
    await settle();
    expect(output.lines).toEqual([
      `${TIME} app      | a\\x1b]0;title\\x07b\\x00c\\x7f\\x9b2J \\u202egnp.exe`,
    ]);
  });

  it('with broken UTF-8 are shown with replacement characters and kept as they are in the file', async () => {
    const { attach, output, file } = openFixture();
    attach('app').stdout.send(Buffer.from([0x61, 0xff, 0xc3, 0x0a]));
    await settle();
    expect(output.lines).toEqual([`${TIME} app      | a\ufffd\ufffd`]);
    expect(file('app').text).toContain('stdout F a');
  });

  it('with a NUL do not make their file binary to grep', async () => {
    const { attach, file } = openFixture();
    attach('app').stdout.send('a\0b\n');
    await settle();
    expect(file('app').lines).toEqual([`${TIME} stdout F a\\x00b`]);
  });

  it('that pause in the middle, like a prompt, are shown after a second of silence', async () => {
    const { attach, output, clock, file } = openFixture();
    const { stdout } = attach('app');
    stdout.send('Password: ');
    clock.advance(900);
    stdout.send('(hidden) ');
    clock.advance(999);
    await settle();
    expect(output.lines).toEqual([]);
    clock.advance(1);
    await settle();
    stdout.send('thanks\n');
    await settle();
    expect(output.lines.map((line) => line.split('| ')[1])).toEqual(['Password: (hidden) ', 'thanks']);
    expect(file('app').lines.map((line) => line.slice(TIME.length))).toEqual([
      ' stdout P Password: (hidden) ',
      ' stdout F thanks',
    ]);
    expect(clock.armed).toBe(0);
  });

  it('keep no timer when the service is quiet', async () => {
    const { attach, clock } = openFixture();
    attach('app').stdout.send('done\n');
    await settle();
    expect(clock.armed).toBe(0);
  });
});

describe('colours', () => {
  it('of a service pass on a terminal and end with its line, other escapes do not', async () => {
    const terminal = openFixture({ colour: true });
    terminal.output.isTerminal = true;
    const { output, attach } = openFixture({ colour: true, output: terminal.output });
    void output;
    attach('app').stdout.send('\x1b[31mred\x1b[2J\n');
    await settle();
    expect(terminal.output.lines[0]).toContain('\x1b[31mred\\x1b[2J\x1b[0m');
  });

  it('are taken out where standard output is no terminal', async () => {
    const { attach, output } = openFixture({ colour: true });
    attach('app').stdout.send('\x1b[31mred\x1b[0m\n');
    await settle();
    expect(output.lines).toEqual([`${TIME} app      | red`]);
  });

  it('of a name are the same in every run', async () => {
    const first = openFixture({ colour: true });
    const runs: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      first.output.isTerminal = true;
      first.output.text = '';
      const again = openFixture({ colour: true, output: first.output });
      again.attach('app').stdout.send('x\n');
      await settle();
      runs.push(first.output.text.slice(-40));
    }
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).toMatch(/\x1b\[\d+mapp/);
  });
});

describe('as JSON', () => {
  async function shown(line: string | Buffer): Promise<Record<string, unknown>> {
    const { attach, output } = openFixture({ format: 'json' });
    attach('app').stdout.send(line);
    await settle();
    expect(output.lines).toHaveLength(1);
    return JSON.parse(output.lines[0] ?? '');
  }
  const time = Date.UTC(2026, 0, 1);

  it.each([
    ['plain text', 'hello', 'hello'],
    ['quotes and backslashes', 'a "b" \\ c\td', 'a "b" \\ c\td'],
    ['control characters', 'a\x1b[0m\x00', 'a\x1b[0m\x00'],
    ['other scripts', 'déjà 日本 😀', 'déjà 日本 😀'],
    ['an object that never ends', '{"a":', '{"a":'],
    ['an array', '[1]', '[1]'],
    ['a carriage return at its end', 'windows\r', 'windows'],
  ])('a line of %s becomes the msg of a record with pino’s names', async (_what, line, msg) => {
    expect(await shown(`${line}\n`)).toEqual({ level: 30, time, service: 'app', stream: 'stdout', msg });
  });

  it('a line of broken UTF-8 is valid JSON all the same', async () => {
    expect(await shown(Buffer.from([0xff, 0xc3, 0x28, 0x0a]))).toMatchObject({ msg: '\ufffd\ufffd(' });
  });

  it('a service’s own record keeps its fields, time, level and message', async () => {
    const record = { level: 50, time: 1_700_000_000_000, pid: 7, name: 'x', msg: 'no', err: { code: 'E' } };
    expect(await shown(`${JSON.stringify(record)}\n`)).toEqual({
      ...record,
      service: 'app',
      stream: 'stdout',
    });
  });

  it('words other loggers use for level, time and message are understood', async () => {
    const line =
      '{"severity":"WARNING","timestamp":"2026-02-01T00:00:00Z","message":"m","service":"theirs"}\n';
    expect(await shown(line)).toEqual({
      level: 40,
      time: Date.UTC(2026, 1, 1),
      service: 'app',
      stream: 'stdout',
      its_service: 'theirs',
      msg: 'm',
    });
  });

  it('a record with a field named __proto__ stays a record', async () => {
    const { attach, output } = openFixture({ format: 'json' });
    attach('app').stdout.send('{"__proto__":{"level":1},"msg":"m"}\n');
    await settle();
    expect(output.lines[0]).toContain('"__proto__":{"level":1},"msg":"m"');
    expect(JSON.parse(output.lines[0] ?? '').level).toBe(30);
  });

  it('a record nested beyond all measure does no harm', async () => {
    const deep = `{"msg":"m","a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect(await shown(`${deep}\n`)).toBeTypeOf('object');
  });

  it('a cut line says that it was', async () => {
    expect(await shown(`${'x'.repeat(70_000)}\n`)).toMatchObject({ truncated: true, service: 'app' });
  });

  it('is shown to people as message and fields where the format is text', async () => {
    const { attach, output } = openFixture();
    attach('app').stdout.send('{"level":40,"time":1,"pid":3,"msg":"slow","ms":12,"q":"a b"}\n');
    await settle();
    expect(output.lines).toEqual([`${TIME} app      | WARN  slow ms=12 q="a b"`]);
  });
});

describe('our own lines', () => {
  it('go by the name bulkhead, to standard output and to a file', async () => {
    const { logs, output, file } = openFixture();
    logs.own('warn', 'not a mount', { path: '/data' });
    await settle();
    expect(output.lines).toEqual([`${TIME} bulkhead | WARN  not a mount path=/data`]);
    expect(file('bulkhead').lines).toEqual([`${TIME} note F WARN  not a mount path=/data`]);
  });

  it('have pino’s numbers as JSON', async () => {
    const { logs, output } = openFixture({ format: 'json' });
    logs.own('error', 'no', { count: 2 });
    await settle();
    expect(JSON.parse(output.text)).toMatchObject({
      level: 50,
      pid: 1,
      service: 'bulkhead',
      msg: 'no',
      count: 2,
    });
  });

  it('below the level are not shown', async () => {
    const { logs, output } = openFixture({ level: 'warn' });
    logs.own('info', 'quiet');
    await settle();
    expect(output.text).toBe('');
  });

  it('with fields no JSON can hold are shown', async () => {
    const { logs, output } = openFixture({ format: 'json' });
    const loop: Record<string, unknown> = { big: 1n };
    loop.self = loop;
    logs.own('info', 'odd', { loop });
    logs.own('info', 'error', { err: new Error('why') });
    await settle();
    expect(output.lines.map((line) => typeof JSON.parse(line))).toEqual(['object', 'object']);
    expect(output.lines[1]).toContain('why');
  });
});
