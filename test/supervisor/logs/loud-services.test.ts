import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RestraintEvent } from '../../../src/supervisor/logs/ports.ts';
import { type Fixture, openFixture, settle } from './fakes.ts';

const LINE = `${'x'.repeat(99)}\n`;
const PIECE = LINE.repeat(2621);
const PIECES = 40;

interface Flooded extends Fixture {
  readonly events: RestraintEvent[];
  readonly asked: string[];
  /** ms others wait in each look. */
  waited: number;
}

function open(hasFiles = true): Flooded {
  const events: RestraintEvent[] = [];
  const asked: string[] = [];
  const flooded: Flooded = {
    events,
    asked,
    waited: 400,
    ...openFixture({
      hasFiles,
      restrained: (event) => events.push(event),
      waits: {
        read: (counts) => {
          asked.splice(0, Infinity, ...['app', 'db'].filter((name) => counts(name)));
          return { ran: 100, waited: flooded.waited };
        },
      },
    }),
  };
  return flooded;
}

/** 26 MB/s, as far as they are read: a piece each 10 ms of the clock. */
async function flood({ clock }: Fixture, pipe: Piece, pieces = PIECES): Promise<number> {
  let sent = 0;
  for (let piece = 0; piece < pieces; piece += 1) {
    // A pipe that is paused gives nothing out.
    if (pipe.paused === pipe.resumed) {
      pipe.send(PIECE);
      sent += 2621;
      await nextTurn();
    }
    clock.advance(10);
  }
  return sent;
}
interface Piece {
  readonly paused: number;
  readonly resumed: number;
  send(text: string): void;
}

describe('a service that writes more than there is processor time for', () => {
  it('is shown in part; its file has every line, and others are shown in full', async () => {
    const fixture = open();
    const { output, file, logs, attach, events } = fixture;
    const app = attach('app');
    const db = attach('db');
    const sent = await flood(fixture, app.stdout, 70);
    db.stdout.send('the quiet one\n');
    await settle();
    expect(output.text).toContain('the quiet one');
    expect(file('app').lines).toHaveLength(sent);
    const { hidden = 0 } = logs.stats().files.app ?? {};
    expect(hidden).toBeGreaterThan(sent / 4);
    expect(output.lines.filter((line) => line.endsWith('x'.repeat(99)))).toHaveLength(sent - hidden);
    expect(logs.stats().outputDropped).toBe(0);
    expect(output.text).toMatch(
      / WARN {2}did not show \d+ lines of services that write too much; the files have them/,
    );
    expect(fixture.asked).toEqual(['db']);
    expect(events[0]).toMatchObject({ service: 'app', what: 'hidden' });
    expect(file('bulkhead').text).toContain(
      'app writes more than there is processor time for: standard output',
    );
  });

  it('is read more slowly like others that are as loud, and one that is not as loud is not', async () => {
    const fixture = open(false);
    const { attach, events, file, logs, clock } = fixture;
    const pipes = ['app', 'web', 'db'].map((name) => attach(name).stdout);
    const counts = [0, 0, 0];
    const late = [0, 0, 0];
    for (let turn = 0; turn < 180; turn += 1) {
      for (const [index, pipe] of pipes.entries()) {
        // A fifth of what the others write, which is less than anybody is slowed down to.
        if (pipe.paused !== pipe.resumed || (index === 2 && turn % 5 !== 0)) continue;
        pipe.send(PIECE);
        counts[index] = (counts[index] ?? 0) + 1;
        if (turn >= 130) late[index] = (late[index] ?? 0) + 1;
      }
      clock.advance(10);
      await nextTurn();
    }
    const [app = 0, web = 0, db = 0] = late;
    // At 10 MB a second 19 in half a second.
    expect(app).toBeGreaterThan(14);
    expect(app).toBeLessThan(30);
    expect(Math.abs(app - web)).toBeLessThan(5);
    expect([db, pipes[2]?.paused]).toEqual([10, 0]);
    expect(events.filter(({ service }) => service === 'app').map(({ what }) => what)).toEqual(['held']);
    expect(file('app').lines).toHaveLength((counts[0] ?? 0) * 2621);
    expect(logs.stats().files.app?.heldSeconds).toBeGreaterThan(0.2);
  });

  it('keeps its place on standard output where no file has its lines: then it waits', async () => {
    const fixture = open(false);
    await flood(fixture, fixture.attach('app').stdout, 100);
    expect(fixture.events.map(({ what }) => what)).toEqual(['held']);
    expect(fixture.logs.stats().files.app?.hidden).toBe(0);
  });

  it('is free when nobody waits any more; both are said once, with what it cost', async () => {
    const fixture = open();
    const { attach, clock, events, file } = fixture;
    const app = attach('app');
    await flood(fixture, app.stdout, 180);
    fixture.waited = 0;
    const hidden = fixture.logs.stats().files.app?.hidden;
    for (let second = 0; second < 60; second += 1) clock.advance(1000);
    expect(events.map(({ what }) => what)).toEqual(['hidden', 'held', 'free']);
    expect(events.at(-1)?.hiddenLines).toBe(hidden);
    expect(file('bulkhead').lines.filter((line) => line.includes('app '))).toHaveLength(3);
    const before = app.stdout.paused;
    await flood(fixture, app.stdout);
    expect(app.stdout.paused).toBe(before);
  });

  it('does not wait while it is being stopped: it has no time', async () => {
    const fixture = open();
    const app = fixture.attach('app');
    await flood(fixture, app.stdout, 200);
    while (app.stdout.paused === app.stdout.resumed) app.stdout.send(PIECE);
    app.rush();
    expect(app.stdout.resumed).toBe(app.stdout.paused);
    const before = app.stdout.paused;
    for (let piece = 0; piece < 40; piece += 1) {
      app.stdout.send(PIECE);
      await nextTurn();
    }
    expect(app.stdout.paused).toBe(before);
    // The next generation does not pay for what the last one was let write.
    fixture.clock.advance(100);
    const next = fixture.attach('app', 2);
    next.stdout.send(PIECE);
    expect(next.stdout.paused).toBe(next.stdout.resumed);
  });

  it('is never left unread for long, whatever came at once, and nor is the generation after it', async () => {
    const fixture = open(false);
    const { attach, clock } = fixture;
    const app = attach('app');
    await flood(fixture, app.stdout, 100);
    // What many pipes of one service gave out before they were told to pause.
    for (let piece = 0; piece < 80; piece += 1) {
      app.stdout.send(PIECE);
      await nextTurn();
    }
    await settle();
    clock.advance(250);
    const next = attach('app', 2);
    next.stdout.send('starting\n');
    clock.advance(250);
    expect(next.stdout.resumed).toBe(next.stdout.paused);
  });

  it('waits for its file and for its turn, and goes on when it need wait for neither', async () => {
    const fixture = open();
    const { attach, file, clock } = fixture;
    const app = attach('app');
    await flood(fixture, app.stdout, 300);
    while (app.stdout.paused === app.stdout.resumed) app.stdout.send(PIECE);
    const { resumed } = app.stdout;
    file('app').holding = true;
    for (let piece = 0; piece < 8; piece += 1) app.stdout.send(PIECE);
    clock.advance(1000);
    expect(app.stdout.resumed).toBe(resumed);
    file('app').letGo();
    await settle();
    clock.advance(10);
    expect(app.stdout.resumed).toBeGreaterThan(resumed);
  });
});

describe('who writes little', () => {
  it('is not looked at: no timer runs', async () => {
    const fixture = open();
    const app = fixture.attach('app');
    for (let line = 0; line < 500; line += 1) {
      app.stdout.send(LINE);
      fixture.clock.advance(10);
    }
    await settle();
    expect(fixture.asked).toEqual([]);
    expect(fixture.clock.armed).toBe(0);
  });

  it('is left alone again soon after a burst', async () => {
    const fixture = open();
    fixture.waited = 0;
    await flood(fixture, fixture.attach('app').stdout);
    expect(fixture.clock.armed).toBeGreaterThan(0);
    for (let second = 0; second < 5; second += 1) fixture.clock.advance(1000);
    expect(fixture.clock.armed).toBe(0);
    expect(fixture.events).toEqual([]);
  });
});
