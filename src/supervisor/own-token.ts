import { messageOf } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import { ensureSecretFile } from '../system/secret-file.ts';
import type { Logs } from './logs/logs.ts';

/**
 * The token of the ports that need one: the plan's, or where nobody gave one our own, made when it is first asked for.
 * Undefined: it cannot be kept, and nobody sees their details.
 * @param plan in force now
 */
export function keepToken(plan: () => Plan, logs: Logs): () => string | undefined {
  let own: string | undefined;
  let isAsked = false;
  return () => {
    const given = plan().token;
    if (given !== undefined || isAsked) return given ?? own;
    isAsked = true;
    own = ensureToken(plan().dataDir, logs);
    return own;
  };
}

function ensureToken(dataDir: string, logs: Logs): string | undefined {
  try {
    return ensureSecretFile(`${dataDir}/secrets/token`);
  } catch (error) {
    logs.own('warn', `cannot keep a token in ${dataDir}/secrets: ${messageOf(error)}; set BULKHEAD_TOKEN`);
    return undefined;
  }
}
