import { isPortFree, whoListens } from '../system/ports.ts';
import type { PortFacts } from './port-check.ts';

/** What this machine says of its ports. */
export const portFacts: PortFacts = {
  isTaken: async (host, port) => !(await isPortFree(host, port)),
  whoListens: (port) => {
    const owner = whoListens(port);
    return owner && `${owner.name} (pid ${owner.pid})`;
  },
};
