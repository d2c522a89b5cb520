import { expect, test } from 'vitest';
import { checkMarker, markerText, newManifest, parseManifest } from '../../src/bundles/bundle-format.ts';

const database = {
  name: 'tools',
  user: 'tools_user',
  serverVersion: '15.14',
  clientMajor: 15,
  verified: 'restored',
  tables: [{ table: 'public.t', rows: 1, hash: '2:12' }],
  largeObjects: true,
} as const;

test('a bundle says that its fingerprints are none a build of form 1 can compare; those of form 1 are read on', () => {
  const now = new Date().toISOString();
  const facts = {
    createdAt: now,
    tool: '0',
    database,
    assets: undefined,
    environment: undefined,
    members: [],
  };
  const manifest = newManifest(facts);
  for (const said of [manifest, JSON.parse(markerText())]) expect(said).toMatchObject({ schema: 2 });
  for (const schema of [1, 2]) {
    expect(parseManifest(JSON.stringify({ ...manifest, schema }), 'a.tar')).toMatchObject({ schema });
    expect(() => checkMarker(JSON.stringify({ schema }), 'a.tar')).not.toThrow();
  }
  expect(() => checkMarker('{"schema":3}', 'a.tar')).toThrow(/is of form 3, and this .* knows 1 and 2/);
});
