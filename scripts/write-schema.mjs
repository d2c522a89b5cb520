// Writes what is made from the tables of words that validate plans: the JSON Schema and the page of words.
import { writeFileSync } from 'node:fs';
import { referencePage } from '../src/config/reference.ts';
import { schemaText } from '../src/config/schema.ts';

writeFileSync(new URL('../config/bulkhead.schema.json', import.meta.url), schemaText());
writeFileSync(new URL('../docs/plan.md', import.meta.url), referencePage());
