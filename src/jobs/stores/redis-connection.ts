/** The one connection with Redis: fails fast, comes back by itself, and says what Redis promises. */
import { Redis } from 'ioredis';
import { messageOf } from '../../base/errors.ts';
import type { Durability } from '../../protocol/jobs.ts';
import { StoreAway, StoreRefusal } from '../store.ts';
import { type OwnKeys, ownKeys, type ScriptName, scriptsOf } from './redis-scripts.ts';

const CONNECT_MS = 5000;
const COMMAND_MS = 10_000;
const LONGEST_WAIT_MS = 1000;

export interface Assurance {
  readonly durability: Durability;
  /** Why it is not durable, or what may go wrong all the same. */
  readonly reason: string | undefined;
}

export class RedisLink {
  readonly client: Redis;
  /** Of all keys of this queue. */
  readonly prefix: string;
  readonly keys: OwnKeys;

  /** @param note hears of a connection that breaks, once each time */
  constructor(url: string, prefix: string, note: (text: string) => void) {
    this.prefix = prefix;
    this.keys = ownKeys(prefix);
    this.client = new Redis(url, {
      connectionName: 'bulkhead',
      connectTimeout: CONNECT_MS,
      commandTimeout: COMMAND_MS,
      // Who asks hears that it is away, and asks again; a queue of questions would only be late.
      maxRetriesPerRequest: 1,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times) => Math.min(50 * 2 ** times, LONGEST_WAIT_MS),
    });
    let last = '';
    // Without a listener, each lost connection would be printed by ioredis itself.
    this.client.on('error', (error) => {
      const text = messageOf(error);
      if (text !== last) note(`the queue in Redis: ${text}`);
      last = text;
    });
    this.client.on('ready', () => {
      last = '';
    });
    for (const [name, lua] of scriptsOf(prefix)) this.client.defineCommand(name, { lua, numberOfKeys: 0 });
  }

  /** One of our scripts. */
  async run<T>(name: ScriptName, ...args: readonly (string | number)[]): Promise<T> {
    const scripts = this.client as unknown as Record<ScriptName, (...args: unknown[]) => Promise<T>>;
    return scripts[name](...args);
  }

  /** What its configuration says about losing jobs. */
  async readAssurance(): Promise<Assurance> {
    const [persistence, memory] = await Promise.all([
      this.client.info('persistence'),
      this.client.info('memory'),
    ]);
    const aof = /^aof_enabled:1/m.test(persistence);
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction';
    const reasons = [
      ...(aof
        ? []
        : [
            'its Redis keeps no append-only file (appendonly no): what was added since its last snapshot is lost with it',
          ]),
      ...(policy === 'noeviction'
        ? []
        : [`its Redis may drop jobs when memory ends (maxmemory-policy ${policy})`]),
    ];
    return {
      durability: aof ? 'durable' : 'volatile',
      reason: reasons.length === 0 ? undefined : reasons.join('; '),
    };
  }

  close(): void {
    this.client.disconnect();
  }
}

/** Of a script: a mistake of ours. All else that Redis or the way to it says means that it could not be asked. */
const MISTAKE = /^(ERR|WRONGTYPE|NOSCRIPT)\b/;

/** What it throws is a refusal, or the word that the store is away; anything else is a mistake of ours. */
export async function toldByRedis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOurs = error instanceof StoreRefusal || error instanceof StoreAway || error instanceof TypeError;
    if (isOurs || MISTAKE.test(messageOf(error))) throw error;
    throw new StoreAway(`cannot ask the queue in Redis: ${messageOf(error)}`, error);
  }
}
