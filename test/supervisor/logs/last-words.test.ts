import { describe, expect, it } from 'vitest';
import { openFixture, settle } from './fakes.ts';

const PIECE = `${'x'.repeat(99)}\n`.repeat(2621);

/** Others wait, and so of what `app` writes from here on standard output shows next to nothing. */
async function openHiding() {
  const fixture = openFixture({ waits: { read: () => ({ ran: 100, waited: 400 }) } });
  const app = fixture.attach('app');
  for (let piece = 0; piece < 70; piece += 1) {
    app.stdout.send(PIECE);
    await settle();
    fixture.clock.advance(10);
  }
  app.stdout.send(PIECE);
  app.stdout.send(PIECE);
  await settle();
  expect(fixture.logs.stats().files.app?.hidden).toBeGreaterThan(2621);
  return { ...fixture, app };
}

describe('the last words of a service whose lines are hidden', () => {
  it('are shown when it has died, though they were read before anybody knew', async () => {
    const { app, output, logs } = await openHiding();
    app.stdout.send('FATAL: why it died\n');
    await settle();
    expect(output.text).not.toContain('FATAL');
    app.rush();
    await settle();
    expect(output.text.match(/FATAL: why it died\n/g)).toHaveLength(1);
    app.rush();
    app.stdout.end();
    await settle();
    expect(output.text.match(/FATAL: why it died\n/g)).toHaveLength(1);
    expect(logs.stats().outputDropped).toBe(0);
  });

  it('are shown when they come after it was told to end, but not all of a flood', async () => {
    const { app, output } = await openHiding();
    app.rush();
    app.stdout.send('closing\n');
    const before = output.lines.length;
    for (let piece = 0; piece < 40; piece += 1) app.stdout.send(PIECE);
    await settle();
    expect(output.text).toContain('closing');
    expect(output.lines.length - before).toBeLessThan(3 * 2621);
  });

  it('are shown where the newline is missing, at the end and after a silence', async () => {
    const { app, output, clock } = await openHiding();
    app.stdout.send('Continue? [y/N] ');
    for (let second = 0; second < 3; second += 1) clock.advance(1000);
    await settle();
    expect(output.text).toContain('Continue? [y/N] ');
    app.stdout.send(`\n${PIECE}${PIECE}`);
    app.stdout.send(PIECE);
    app.stdout.send('torn');
    app.stdout.end();
    await settle();
    expect(output.text).toMatch(/torn\n$/);
  });

  it('are shown of stderr at once: it does not pay for stdout', async () => {
    const { app, output } = await openHiding();
    app.stderr.send('Error: it still runs\n');
    await settle();
    expect(output.text).toContain('Error: it still runs');
  });
});
