import { spawnSync } from 'node:child_process';

/** What a command says, or undefined where there is no such command. Some say their version to stderr. */
function tell(program: string, ...args: string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  return error ? undefined : `${stdout}${stderr}`.trim();
}

/** The version of an installed Debian package. */
export function debianVersion(name: string): string | undefined {
  const said = tell('dpkg-query', '--show', '--showformat=${Version}', name);
  return said === undefined || said === '' || said.includes('no packages') ? undefined : said;
}
