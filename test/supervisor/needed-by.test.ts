import { expect, test } from 'vitest';
import { neededBy } from '../../src/supervisor/needed-by.ts';
import { aService, aTask, needs } from '../support/runs.ts';
import { serviceStatus } from '../support/statuses.ts';

test('needed by those that live and depend on it themselves', () => {
  const runs = [
    aService('database'),
    aTask('setup', { dependsOn: needs('database') }),
    aService('app', { dependsOn: needs('database') }),
    aService('off', { dependsOn: needs('database') }),
    aService('proxy', { dependsOn: needs('app') }),
  ];
  const statuses = runs.map(({ name }) =>
    serviceStatus(name, name === 'setup' || name === 'off' ? { pid: undefined } : {}),
  );
  expect(neededBy('database', runs, statuses)).toEqual(['app']);
  expect(neededBy('app', runs, statuses)).toEqual(['proxy']);
  expect(neededBy('proxy', runs, statuses)).toEqual([]);
});
