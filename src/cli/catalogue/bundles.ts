/** The commands about moving from one host to another. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';

export const BUNDLES: readonly CommandSpec[] = [
  {
    name: 'bundle create',
    summary:
      'on the old host: database, assets and environment in one file, for the first start of a new one',
    options: [
      { name: 'output', short: 'o', value: 'FILE', summary: 'where it goes (./move-TIME.bundle.tar)' },
      { name: 'assets', value: 'DIR', summary: 'a folder of files of the application; may be given again' },
      {
        name: 'env-file',
        value: 'FILE',
        summary: 'its environment file; without a passphrase its secrets are left out',
      },
      {
        name: 'passphrase-file',
        value: 'FILE',
        summary: 'encrypt those secrets to this passphrase (BUNDLE_PASSPHRASE_FILE)',
      },
    ],
    exits: [CommandExit.refused],
    examples: [
      'DATABASE_URL_FILE=/run/secrets/db bulkhead bundle create --assets /srv/app/public/uploads --env-file /srv/app/.env',
    ],
    load: () => import('../commands/bundle-create.ts'),
  },
];
