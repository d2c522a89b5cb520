/**
 * How many connections there may be, by who is behind them. Nobody is behind a new one yet; where too many are of one
 * standing, the oldest of them makes room for the newest. Who has a token asks at once, and is then among its like:
 * however many connect and say nothing, they only take the room of one another.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Standing } from './standing.ts';

export interface Connections {
  /** It is known who is behind this one. Behind a proxy many are: the best of them counts. */
  raise(socket: Socket, standing: Standing): void;
}

const MOST_OF_EACH = 64;
const ORDER: readonly Standing[] = ['stranger', 'anybody', 'viewer', 'operator', 'admin'];

/** @param most of each standing; of tests */
export function guardConnections(server: Pick<Server, 'on'>, most: number = MOST_OF_EACH): Connections {
  const standings = new Map<Socket, Standing>();
  // In the order in which they came to this standing.
  const sockets = new Map(ORDER.map((standing) => [standing, new Set<Socket>()]));

  function put(socket: Socket, standing: Standing): void {
    const like = sockets.get(standing);
    like?.add(socket);
    standings.set(socket, standing);
    const [oldest] = like ?? [];
    if (like !== undefined && like.size > most && oldest !== undefined) {
      forget(oldest);
      oldest.destroy();
    }
  }

  function forget(socket: Socket): void {
    const standing = standings.get(socket);
    if (standing !== undefined) sockets.get(standing)?.delete(socket);
    standings.delete(socket);
  }

  server.on('connection', (socket: Socket) => {
    put(socket, 'stranger');
    socket.once('close', () => forget(socket));
  });
  return {
    raise(socket, standing) {
      const now = standings.get(socket);
      if (now === undefined || ORDER.indexOf(standing) <= ORDER.indexOf(now)) return;
      forget(socket);
      put(socket, standing);
    },
  };
}
