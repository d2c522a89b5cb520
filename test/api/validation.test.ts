import { expect, test } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { createValidator } from '../../src/api/validation.ts';

test.each(
  ROUTES.flatMap(({ method, path, query, body }) => [
    ...(query === undefined ? [] : [[`${method} ${path}`, 'querystring', query] as const]),
    ...(body === undefined ? [] : [[`${method} ${path}`, 'body', body] as const]),
  ]),
)('%s has a %s that can be checked, and takes no word it does not know', (_route, part, schema) => {
  expect(createValidator()(schema, part)({ nobody: 'knows' })).toHaveProperty('error');
});
