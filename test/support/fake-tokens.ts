import type { StoredToken } from '../../src/protocol/tokens.ts';
import type { TokenShelf } from '../../src/supervisor/control/target.ts';

/** Tokens that people made, in memory; beside them there is the main one. */
export function fakeTokens(): TokenShelf {
  const stored = new Map<string, StoredToken>();
  const viewOf = ({ sha256: _hidden, ...token }: StoredToken) => ({ ...token, from: 'volume' }) as const;
  return {
    list: () => [{ name: 'main', role: 'admin', from: 'environment' }, ...[...stored.values()].map(viewOf)],
    stored: () => [...stored.values()],
    add(token) {
      const made = { ...token, createdAt: '2026-01-01T00:00:00.000Z' };
      stored.set(token.name, made);
      return viewOf(made);
    },
    remove: (name) => void stored.delete(name),
  };
}
