/** What is in the image, and what stays out. */
import { beforeAll, expect, it } from 'vitest';
import { docker, IMAGE } from './container.ts';

interface Description {
  readonly Size: number;
  readonly Config: {
    readonly Entrypoint: readonly string[];
    readonly StopSignal: string;
    readonly Volumes: object | null;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly Healthcheck: { readonly Test: readonly string[]; readonly StartPeriod: number };
  };
}

let image: Description;
beforeAll(async () => {
  [image] = JSON.parse((await docker(['image', 'inspect', IMAGE])).stdout);
});

const inside = async (script: string): Promise<string> => {
  const { code, stdout, stderr } = await docker([
    ...['run', '--rm', '--network', 'none', '--entrypoint', 'bash', IMAGE, '-c', script],
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trim();
};

it('stays below 420 MB with the app', () => {
  expect(image.Size).toBeLessThan(420e6);
});

it('is described as the contract says', () => {
  expect(image.Config.Entrypoint).toEqual(['bulkhead', 'up']);
  expect(image.Config.StopSignal).toBe('SIGTERM');
  expect(image.Config.Volumes ?? {}).toEqual({});
  expect(image.Config.Healthcheck.Test).toEqual(['CMD', 'healthcheck']);
  expect(image.Config.Healthcheck.StartPeriod).toBe(24 * 3600 * 1e9);
  expect(image.Config.Env).toContain('BULKHEAD_TIER=core');
  expect(image.Config.Labels['org.opencontainers.image.licenses']).toBe('MIT');
});

it('pins the uids that a volume remembers', async () => {
  const ids = await inside('for u in postgres app scraper api; do id -u $u; id -g $u; done');
  expect(ids.split('\n').map(Number)).toEqual([999, 999, 1001, 1001, 1002, 1002, 1003, 1003]);
});

it('carries nothing that only builds need', async () => {
  const found = await inside(
    'for p in npm npx gcc curl wget pg_createcluster; do command -v $p || true; done',
  );
  expect(found).toBe('');
  expect(await inside('ls /usr/lib/x86_64-linux-gnu | grep -i llvm || true')).toBe('');
  expect(await inside('ls /usr/lib/postgresql/17/lib | grep -i -e llvm -e bitcode || true')).toBe('');
  expect(
    await inside(
      "dpkg-query -W -f '${Package}\\n' | grep -x -e perl -e postgresql-common -e locales || true",
    ),
  ).toBe('');
});

it('keeps the database tools and a package system that later stages can build on', async () => {
  expect(await inside('pg_dump --version; pg_restore --version; psql --version')).toMatch(
    /(.*\(PostgreSQL\) 17.*\n?){3}/,
  );
  expect(await inside('dpkg --audit; apt-get check -qq')).toBe('');
});

it('carries a warmed compile cache for each of its users', async () => {
  const caches = (await inside('ls /opt/bulkhead/dist/cache')).split('\n');
  for (const uid of [0, 999, 1000, 10_001]) {
    expect(
      caches.some((name) => name.endsWith(`-${uid.toString(16)}`) || name.endsWith(`-${uid}`)),
      `uid ${uid}`,
    ).toBe(true);
  }
});
