import { messageOf } from '../base/errors.ts';
import { ensureSecretFile } from '../system/secret-file.ts';
import type { Logs } from './logs/logs.ts';

/** The token of the ports that need one, where nobody gave us one; without it nobody sees their details. */
export function ensureToken(dataDir: string, logs: Logs): string | undefined {
  try {
    return ensureSecretFile(`${dataDir}/secrets/token`);
  } catch (error) {
    logs.own('warn', `cannot keep a token in ${dataDir}/secrets: ${messageOf(error)}; set BULKHEAD_TOKEN`);
    return undefined;
  }
}
