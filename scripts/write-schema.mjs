// Writes config/bulkhead.schema.json from the tables of words that validate plans.
import { writeFileSync } from 'node:fs';
import { schemaText } from '../src/config/schema.ts';

writeFileSync(new URL('../config/bulkhead.schema.json', import.meta.url), schemaText());
