/** The parts of a connection URI, as libpq takes them apart (fe-connect.c, conninfo_uri_parse). */

export type Hosts = readonly {
  readonly host: string;
  /** The address to connect to; `host` is then only the name the certificate must bear. */
  readonly hostaddr: string | undefined;
  /** Undefined: not said. */
  readonly port: number | undefined;
}[];

/** By name, decoded; unlike in a form, a plus is a plus. */
export function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decodePart(equals < 0 ? part : part.slice(0, equals));
    parameters.set(name, equals < 0 ? '' : decodePart(part.slice(equals + 1)));
  }
  return parameters;
}

/** Several may be named by comma, in the authority or as parameters; undefined where a port is no port. */
export function readHosts(authority: string, parameters: ReadonlyMap<string, string>): Hosts | undefined {
  const written = authority.split(',').map(splitHost);
  const names = list(parameters.get('host')) ?? written.map(({ host }) => host);
  const addresses = list(parameters.get('hostaddr')) ?? [];
  const ports = list(parameters.get('port')) ?? written.map(({ port }) => port);
  const hosts = names.map((host, index) => {
    const port = ports.length === 1 ? ports[0] : ports[index];
    return { host, hostaddr: addresses[index] || undefined, port: port ? Number(port) : undefined };
  });
  const isPort = (port: number | undefined): boolean =>
    port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65_535);
  return hosts.every(({ port }) => isPort(port)) ? hosts : undefined;
}

function splitHost(text: string): { host: string; port: string } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text);
  if (!match) return { host: text, port: 'none' };
  return { host: decodePart(match[1]).replace(/^\[(.*)\]$/, '$1'), port: match[2] ?? '' };
}

function list(text: string | undefined): string[] | undefined {
  return text === undefined || text === '' ? undefined : text.split(',');
}

/** Empty where there is nothing; as it stands where the percent signs mean nothing. */
export function decodePart(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return text ?? '';
  }
}
