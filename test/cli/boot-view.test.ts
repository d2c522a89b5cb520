import { describe, expect, test } from 'vitest';
import { renderBoot } from '../../src/cli/boot-text.ts';
import { createBootView } from '../../src/cli/boot-view.ts';
import type { ProductStatus, ServiceStatus } from '../../src/protocol/status.ts';
import { exampleProduct, exampleService } from '../support/product.ts';

/** What a terminal of one line shows in the end, when only carriage returns and line erasing move its cursor. */
function screenOf(written: string): string[] {
  return written.split('\n').map((line) => line.split('\r\x1b[2K').at(-1) ?? '');
}

function record(columns: number | undefined) {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  return { view: createBootView({ write, columns }, false), written: () => text, write };
}

const booting = (services: readonly ServiceStatus[]): ProductStatus =>
  exampleProduct({ phase: 'booting', overall: 'fail', services });
const cluster = exampleService('cluster', { kind: 'task', status: 'done', startedIn: 800 });
const setup = exampleService('setup', {
  kind: 'task',
  status: 'starting',
  progress: { what: 'importing tools.sql.gz', percent: 43.7, detail: '7,204 rows' },
});
const waiting = exampleService('app', { status: 'waiting', generation: 0 });

describe('a boot on a terminal', () => {
  test('has one line per finished step and one that moves', () => {
    const { view, written } = record(80);
    view.show(booting([exampleService('cluster', { status: 'starting', generation: 1 }), waiting]));
    view.show(booting([cluster, setup, waiting]));
    view.show(booting([cluster, setup, waiting]));
    expect(screenOf(written())).toEqual([
      '✔ cluster 800 ms',
      '⠹ setup importing tools.sql.gz 43 % 7,204 rows  (1 waiting)',
    ]);
  });

  test('ends with a table that says why the slowest was slow, and the addresses', () => {
    const { view, written } = record(80);
    view.show(booting([cluster, setup, waiting]));
    view.finish(exampleProduct());
    view.show(booting([cluster, setup, waiting]));
    const screen = screenOf(written());
    expect(screen).toContain('✔  setup     done     1.9 s  slowest: imported 16,765 rows');
    expect(screen.join('\n')).not.toContain('waiting');
    expect(screen).toContain('  app     http://localhost:3000');
  });

  test('is never mixed up with the lines of services', () => {
    const { view, written, write } = record(80);
    view.show(booting([setup]));
    view.around(() => write('app | hello\n'));
    expect(screenOf(written())).toEqual(['app | hello', '⠋ setup importing tools.sql.gz 43 % 7,204 rows']);
  });

  test('never draws a moving line wider than the terminal', () => {
    const { view, written } = record(20);
    view.show(booting([setup, waiting]));
    expect(screenOf(written())).toEqual(['⠋ setup importing t…']);
  });

  test('tells a second generation of the same step again', () => {
    const { view, written } = record(80);
    view.show(
      booting([exampleService('app', { status: 'backoff', startedIn: undefined, reason: 'exit 1' })]),
    );
    view.show(booting([exampleService('app', { generation: 2 })]));
    view.abandon();
    expect(screenOf(written())).toEqual(['◐ app  exit 1', '✔ app 850 ms', '']);
  });
});

describe('a boot without a terminal', () => {
  test('writes only the table, plain', () => {
    const { view, written } = record(undefined);
    view.show(booting([cluster, setup, waiting]));
    view.around(() => {});
    view.finish(exampleProduct());
    expect(written()).toBe(`${renderBoot(exampleProduct(), undefined, false)}\n`);
  });
});

describe('the table at the end of a boot', () => {
  test.each([60, 100, 140])('fits %d columns', (columns) => {
    const text = renderBoot(
      exampleProduct({ notes: ['/data is not a mount: its content goes away with the container'] }),
      columns,
      false,
    );
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(columns);
    expect(text).toMatchSnapshot();
  });
});
