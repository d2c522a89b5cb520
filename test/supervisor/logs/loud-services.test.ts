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
      await settle();
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
    const sent = await flood(fixture, app.stdout, 100);
    db.stdout.send('the quiet one\n');
    await settle();
    expect(output.text).toContain('the quiet one');
    expect(file('app').lines).toHaveLength(sent);
    const { hidden = 0 } = logs.stats().files.app ?? {};
    expect(hidden).toBeGreaterThan(sent / 2);
    expect(output.lines.filter((line) => line.endsWith('x'.repeat(99)))).toHaveLength(sent - hidden);
    expect(logs.stats().outputDropped).toBe(hidden);
    expect(fixture.asked).toEqual(['db']);
    expect(events[0]).toMatchObject({ service: 'app', what: 'hidden' });
    expect(file('bulkhead').text).toContain(
      'app writes more than there is processor time for: standard output',
    );
  });

  it('is read more slowly where that is not enough, and no other service is', async () => {
    const fixture = open();
    const { attach, events, file, logs } = fixture;
    const app = attach('app');
    const db = attach('db');
    const sent = await flood(fixture, app.stdout, 400);
    const rate = (sent * 100) / 4;
    expect(rate).toBeLessThan(20e6);
    expect(rate).toBeGreaterThan(8e6);
    db.stdout.send(LINE.repeat(1000));
    expect(db.stdout.paused).toBe(0);
    expect(events.map(({ what }) => what)).toEqual(['hidden', 'held']);
    expect(file('app').lines).toHaveLength(sent);
    expect(logs.stats().files.app?.heldSeconds).toBeGreaterThan(1);
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
    await flood(fixture, app.stdout, 200);
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
    app.stdout.send(PIECE);
    app.stdout.send(PIECE);
    expect(app.stdout.paused).toBe(before);
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
