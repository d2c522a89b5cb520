/** Tokens of the API that people made: a file each under `secrets/tokens`, mode 0600, with the hash of its value. */
import { readdirSync } from 'node:fs';
import { Failure, messageOf } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import { MAIN_TOKEN, ROLES, TOKEN_NAME } from '../config/roles.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { StoredToken, TokenView } from '../protocol/tokens.ts';
import { ensureDir, readTextIfExists, removeTree } from '../system/files.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';
import type { TokenShelf } from './control/target.ts';

/** @param plan in force now */
export function createTokenShelf(plan: () => Plan, now: () => number): TokenShelf {
  const folder = (): string => `${plan().dataDir}/secrets/tokens`;
  const pathOf = (name: string): string => `${folder()}/${name}.json`;

  function stored(): readonly StoredToken[] {
    return namesIn(folder()).flatMap((name) => {
      const text = readTextIfExists(pathOf(name));
      const token = text === undefined ? undefined : parseToken(text);
      return token?.name === name ? [token] : [];
    });
  }

  function given(): readonly TokenView[] {
    const { api, token } = plan();
    return [
      { name: MAIN_TOKEN, role: 'admin', from: token === undefined ? 'generated' : 'environment' },
      ...(api?.tokens ?? []).map(({ name, role }): TokenView => ({ name, role, from: 'plan' })),
    ];
  }

  return {
    stored,
    list: () => [
      ...given(),
      ...stored().map(({ sha256: _hidden, ...token }): TokenView => ({ ...token, from: 'volume' })),
    ],
    add(token) {
      const taken = [...given(), ...stored()].find(({ name }) => name === token.name);
      if (taken !== undefined) {
        throw new Failure(`cannot make the token ${token.name}: there is one of the name`, {
          code: 'name-taken',
          remedy: `choose another name, or end it first: bulkhead token revoke ${token.name}`,
          exitCode: CommandExit.refused,
        });
      }
      const made: StoredToken = { ...token, createdAt: new Date(now()).toISOString() };
      write(() => {
        ensureDir(folder(), 0o700);
        writeFileAtomic(pathOf(token.name), `${JSON.stringify(made)}\n`, { mode: 0o600 });
      });
      const { sha256: _hidden, ...view } = made;
      return { ...view, from: 'volume' };
    },
    remove(name) {
      if (given().some((token) => token.name === name)) {
        throw new Failure(`cannot revoke the token ${name}: it was not made by: bulkhead token create`, {
          code: 'not-ours',
          remedy:
            name === MAIN_TOKEN
              ? 'set another BULKHEAD_TOKEN; or remove secrets/token of the volume and start again'
              : `take it out of api: tokens: of the plan, then: bulkhead reload`,
          exitCode: CommandExit.refused,
        });
      }
      if (!stored().some((token) => token.name === name)) {
        throw new Failure(`cannot revoke the token ${name}: there is none of the name`, {
          code: 'unknown-token',
          remedy: 'see: bulkhead token list',
          exitCode: CommandExit.unknownName,
        });
      }
      write(() => removeTree(pathOf(name)));
    },
  };
}

function write(action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw new Failure(`cannot change the tokens of this volume: ${messageOf(cause)}`, {
      remedy: 'let Bulkhead write to the secrets folder of its volume; see: bulkhead doctor',
      cause,
    });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .filter((name) => TOKEN_NAME.pattern.test(name))
      .sort();
  } catch {
    return [];
  }
}

/** What is no token of ours opens nothing. */
function parseToken(text: string): StoredToken | undefined {
  try {
    const { name, role, sha256, createdAt, expiresAt } = JSON.parse(text) as Record<string, unknown>;
    const known = ROLES.find((each) => each === role);
    if (typeof name !== 'string' || known === undefined || typeof createdAt !== 'string') return undefined;
    if (typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
    const token = { name, role: known, sha256, createdAt };
    if (expiresAt === undefined) return token;
    // One whose end cannot be read shall not live for ever.
    if (typeof expiresAt !== 'string' || Number.isNaN(Date.parse(expiresAt))) return undefined;
    return { ...token, expiresAt };
  } catch {
    return undefined;
  }
}

const SHA256 = /^[\da-f]{64}$/;
