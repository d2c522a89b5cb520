import { expect, test } from 'vitest';
import { COMMAND_ROUTES } from '../../src/api/command-routes.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { COMMANDS } from '../../src/cli/catalogue.ts';

test('every command has a route that does the same, or a reason why none may', () => {
  expect(Object.keys(COMMAND_ROUTES).sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  const there = new Set(ROUTES.map(({ method, path }) => `${method} ${path}`));
  for (const [command, served] of Object.entries(COMMAND_ROUTES)) {
    if ('why' in served) expect(served.why.length, command).toBeGreaterThan(5);
    else
      expect(
        served.routes.filter((route) => !there.has(route)),
        command,
      ).toEqual([]);
  }
});

test('every route does what a command does, or is of the API itself', () => {
  const served = new Set(
    Object.values(COMMAND_ROUTES).flatMap((each) => ('routes' in each ? each.routes : [])),
  );
  const own = ROUTES.map(({ method, path }) => `${method} ${path}`).filter((route) => !served.has(route));
  expect(own).toEqual([
    'GET /metrics',
    'GET /operations',
    'POST /operations/:id/cancel',
    'POST /session',
    'GET /session',
    'DELETE /session',
    'GET /audit',
  ]);
});
