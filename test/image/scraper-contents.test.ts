/** What is in the image of tier scraper besides the core, and what stays out. */
import { expect, it } from 'vitest';
import { docker, SCRAPER_IMAGE } from './container.ts';

async function inside(script: string): Promise<string> {
  const run = ['run', '--rm', '--network', 'none', '--entrypoint', 'bash', SCRAPER_IMAGE, '-c', script];
  const { code, stdout, stderr } = await docker(run);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trim();
}

it('stays below 700 MB, and is described as the contract says', async () => {
  const [image] = JSON.parse((await docker(['image', 'inspect', SCRAPER_IMAGE])).stdout);
  expect(image.Size).toBeLessThan(700e6);
  expect(image.Config.Entrypoint).toEqual(['bulkhead', 'up']);
  expect(image.Config.Env).toContain('BULKHEAD_TIER=scraper');
  expect(Object.keys(image.Config.ExposedPorts).sort()).toEqual(['3000/tcp', '9700/tcp', '9701/tcp']);
  expect(image.Config.Labels['org.opencontainers.image.title']).toBe('Bulkhead scraper');
});

it('has a browser that lacks no library, and a package system that misses nothing', async () => {
  expect(await inside('ldd /usr/lib/chromium/chromium-headless-shell | grep "not found" || true')).toBe('');
  expect(await inside('dpkg --audit; apt-get check -qq')).toBe('');
});

it('carries no driver of a graphics card, no compiler and no packages of builds', async () => {
  const packages = await inside("dpkg-query -W -f '${Package}\\n'");
  expect(packages.split('\n').filter((name) => /llvm|mesa|^perl$|x11-utils|xdg-utils/.test(name))).toEqual(
    [],
  );
  expect(await inside('find /scraper -maxdepth 1 -type f -not -name "*.mjs"')).toBe('');
  expect(await inside('ls /scraper/node_modules | grep -E "esbuild|typescript|puppeteer" || true')).toBe('');
});

it('has fonts for the scripts of the world', async () => {
  const fonts = (await inside('find /usr/share/fonts -name "*.tt[fc]"')).toLowerCase();
  for (const one of ['liberationsans', 'wqy-microhei', 'notocoloremoji', 'arabic', 'devanagari', 'thai'])
    expect(fonts).toContain(one);
});

it('carries a warmed compile cache for the worker and the API as well', async () => {
  const caches = (await inside('ls /opt/bulkhead/dist/cache')).split('\n');
  for (const uid of [0, 999, 1003, 10_001])
    expect(
      caches.some((name) => name.endsWith(`-${uid}`)),
      `uid ${uid}`,
    ).toBe(true);
});
