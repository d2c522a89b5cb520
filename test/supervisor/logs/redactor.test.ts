import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../src/supervisor/logs/redactor.ts';
import { SecretSearch, SHORTEST } from '../../../src/supervisor/logs/secret-search.ts';
import { openFixture, settle } from './fakes.ts';

const PASSWORD = 'correct-horse-battery';
const SHORT = 'pa$$word';

function fixture(secrets: readonly string[], options: Parameters<typeof openFixture>[0] = {}) {
  const redactor = new Redactor((value) => value === 'postgres');
  redactor.learn(secrets);
  return openFixture({ redactor, ...options });
}

const filler = (lines: number): string => `${'GET /tools 200 12ms user=7\n'.repeat(lines)}`;

describe('a secret PID 1 knows', () => {
  it.each([
    ['in a short line', `token ${PASSWORD}!\n`, 'token ********!'],
    ['twice', `${PASSWORD} ${PASSWORD}\n`, '******** ********'],
    ['as the whole line', `${PASSWORD}\n`, '********'],
    ['of eight characters', `x${SHORT}y\n`, 'x********y'],
    ['in JSON', `{"msg":"it is ${PASSWORD}"}\n`, '{"msg":"it is ********"}'],
    [
      'between bytes that are no UTF-8',
      Buffer.from(`\xff${PASSWORD}\xfe\n`, 'latin1'),
      '\ufffd********\ufffd',
    ],
  ])('%s reaches neither file nor output nor whoever follows', async (_what, line, hidden) => {
    const { attach, logs, output, file } = fixture([PASSWORD, SHORT]);
    const { stdout } = attach('app');
    stdout.send(line);
    const seen: string[] = [];
    logs.follow(['app'], (each) => seen.push(each.line));
    stdout.send(line);
    await settle();
    expect(seen).toEqual([hidden]);
    expect(file('app').lines.map((each) => each.slice('2026-01-01T00:00:00.000Z stdout F '.length))).toEqual([
      hidden,
      hidden,
    ]);
    expect(output.text).not.toMatch(/correct-horse|pa\$\$word/);
    expect(JSON.stringify(logs.tail(['app'], 10))).not.toContain('horse');
  });

  it('is found among hundreds of lines taken at once, and only its line is changed', async () => {
    const { attach, output, file } = fixture([PASSWORD]);
    const text = `${filler(300)}secret=${PASSWORD};\n${filler(300)}`;
    attach('app').stdout.send(text);
    await settle();
    const expected = text.replace(PASSWORD, '********').split('\n').slice(0, -1);
    expect(file('app').lines.map((line) => line.slice(34))).toEqual(expected);
    expect(output.lines.map((line) => line.split('| ')[1])).toEqual(expected);
  });

  it('is found wherever a pause cuts it, however long, and nothing but its beginning waits', async () => {
    const line = `before ${PASSWORD} after\n`;
    for (let cut = 1; cut < line.length; cut += 1) {
      const { attach, clock, output, file } = fixture([PASSWORD]);
      const { stdout } = attach('app');
      stdout.send(line.slice(0, cut));
      clock.advance(60_000);
      await settle();
      expect(file('app').text).not.toMatch(/corre|battery/);
      // What is no part of it is shown after a second, as every prompt.
      if (cut <= 7) expect(file('app').lines.map((each) => each.slice(34))).toEqual([line.slice(0, cut)]);
      stdout.send(line.slice(cut));
      await settle();
      for (const text of [
        file('app').lines.map((each) => each.slice(34)),
        output.lines.map((each) => each.split('| ')[1]),
      ])
        expect(text.join('')).toBe('before ******** after');
      expect(clock.armed).toBe(0);
    }
  });

  it('that never comes whole is written when the stream ends', async () => {
    const { attach, clock, file } = fixture([PASSWORD]);
    const { stdout } = attach('app');
    stdout.send('it is correct-');
    clock.advance(60_000);
    stdout.end();
    await settle();
    expect(file('app').lines.map((each) => each.slice(32))).toEqual(['P it is ', 'F correct-']);
  });

  it('named by a record is hidden though the record comes in two pieces', async () => {
    const { attach, clock, file } = fixture([]);
    const { stdout } = attach('app');
    stdout.send('{"msg":"x","password":"abc');
    clock.advance(60_000);
    stdout.send('def"}\n');
    await settle();
    expect(file('app').lines.map((each) => each.slice(32))).toEqual(['F {"msg":"x","password":"********"}']);
  });

  it('is found wherever the stream was cut in two', async () => {
    const line = `before ${PASSWORD} after\n`;
    for (let cut = 0; cut <= line.length; cut += 1) {
      const { attach, file } = fixture([PASSWORD]);
      const { stdout } = attach('app');
      stdout.send(filler(100) + line.slice(0, cut));
      stdout.send(line.slice(cut) + filler(100));
      await settle();
      expect(file('app').lines[100]).toMatch(/ before \*{8} after$/);
    }
  });

  it('is found where a line is too long and must be cut', async () => {
    for (const before of [65_520, 65_530, 65_536]) {
      const { attach, file, output } = fixture([PASSWORD]);
      attach('app').stdout.send(`${'x'.repeat(before)}${PASSWORD}${'y'.repeat(100)}\n`);
      await settle();
      const text = file('app')
        .lines.map((line) => line.slice(34))
        .join('');
      expect(text).toBe(`${'x'.repeat(before)}********${'y'.repeat(100)}`);
      expect(output.text).not.toContain('correct');
    }
  });

  it.each([
    ['in ASCII JSON', (secret: string) => `"${secret.replace('é', '\\u00e9')}"`],
    [
      'in a URL of small letters',
      (secret: string) => encodeURIComponent(secret).replaceAll(/%../g, (x) => x.toLowerCase()),
    ],
    ['in a form', (secret: string) => new URLSearchParams({ p: secret }).toString()],
    ['in base64', (secret: string) => Buffer.from(secret).toString('base64')],
    ['in base64 for URLs', (secret: string) => Buffer.from(secret).toString('base64url')],
    [
      'in Basic authorization',
      (secret: string) => `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
    ],
    [
      'in Basic authorization of another',
      (secret: string) => `Basic ${Buffer.from(`me:${secret}`).toString('base64')}`,
    ],
  ])('is hidden %s', async (_what, write) => {
    const secret = "it's an ab?é/ secret~?>";
    const { attach, file } = fixture([secret]);
    attach('app').stdout.send(`${write(secret)}\n`);
    await settle();
    expect(file('app').text).toContain('********');
    expect(file('app').text).not.toMatch(/secret|c2Vj|cmV0|2VjcmV|NlY3Jl/);
  });

  it('is hidden in our own lines', async () => {
    const { logs, output, file } = fixture([PASSWORD]);
    logs.own('warn', `cannot use ${PASSWORD}`, { given: `${PASSWORD}x` });
    await settle();
    expect(output.lines[0]).toContain('cannot use ******** given=********x');
    expect(file('bulkhead').text).not.toContain(PASSWORD);
  });

  it('is known in the forms it may be written in, and line by line', async () => {
    const { attach, file } = fixture([
      'a"quote\\and more',
      'with space&percent',
      '-----BEGIN KEY-----\nline1line1\nline2line2',
    ]);
    attach('app').stdout.send(
      `{"msg":"a\\"quote\\\\and more"}\nhttps://x?y=with%20space%26percent\nline2line2\n-----BEGIN KEY-----\n`,
    );
    await settle();
    expect(file('app').lines.map((line) => line.slice(34))).toEqual([
      '{"msg":"********"}',
      'https://x?y=********',
      '********',
      '-----BEGIN KEY-----',
    ]);
  });

  it('that is a name, or shorter than eight characters, hides nothing', async () => {
    const { attach, file } = fixture(['postgres', 'short']);
    attach('app').stdout.send('postgres is short\n');
    await settle();
    expect(file('app').text).toContain('postgres is short');
  });
});

describe('a record that names a secret', () => {
  it.each([
    ['{"password":"x","user":"y"}', '{"password":"********","user":"y"}'],
    [
      '{"req":{"headers":{"Set-Cookie":["a=b"],"authorization":"Bearer x"}}}',
      '{"req":{"headers":{"Set-Cookie":"********","authorization":"********"}}}',
    ],
    [
      '{"client_secret":"a","apiKey":"b","api-key":"c"}',
      '{"client_secret":"********","apiKey":"********","api-key":"********"}',
    ],
    [
      '{"tokens":12,"token":7,"hasPassword":true,"secretName":"x"}',
      '{"tokens":12,"token":7,"hasPassword":true,"secretName":"x"}',
    ],
    ['{"msg":"cut","password":"abc\\"d', '{"msg":"cut","password":"********"'],
    ['password: in a plain line', 'password: in a plain line'],
  ])('%s is kept as %s', async (line, kept) => {
    for (const more of ['', filler(200)]) {
      const { attach, file } = fixture([]);
      attach('app').stdout.send(`${line}\n${more}`);
      await settle();
      expect(file('app').lines[0]?.slice(34)).toBe(kept);
    }
  });
});

it('a record that is nested too deep to be written again is no mistake of ours', async () => {
  const { attach, file } = fixture([]);
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  attach('app').stdout.send(`{"token":"abc","a":${deep}}\n`);
  await settle();
  expect(file('app').lines[0]?.slice(34)).toBe(`{"token":"********","a":${deep}}`);
});

it('the search finds a value exactly where it is', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 200 });
  const value = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: SHORTEST, maxLength: 60 });
  fc.assert(
    fc.property(
      text,
      text,
      fc.array(value, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      fc.nat(9),
      (a, b, values, put, skew) => {
        const whole = put ? `${a}${values[0]}${b}` : a + b;
        const bytes = Buffer.concat([Buffer.alloc(skew), Buffer.from(whole), Buffer.from(values[0] ?? '')]);
        const search = new SecretSearch(values.map((each) => Buffer.from(each)));
        const expected = values.some((each) => whole.includes(each));
        expect(search.finds(bytes, skew, skew + whole.length)).toBe(expected);
      },
    ),
    { numRuns: 2000 },
  );
});
