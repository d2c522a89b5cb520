/** JSON schemas of services, of what changes them, and of configuration. */
import { list, object, service, text, version, yes } from './schemas.ts';

export const serviceAnswer = { allOf: [object({ schemaVersion: version }, ['schemaVersion']), service] };
export const reloadAnswer = object(
  {
    schemaVersion: version,
    dryRun: yes,
    changes: list(
      object(
        {
          service: text,
          action: { enum: ['start', 'stop', 'restart', 'update'] },
          reason: { ...text, description: 'which settings differ' },
        },
        ['service', 'action', 'reason'],
      ),
    ),
  },
  ['schemaVersion', 'dryRun', 'changes'],
);
