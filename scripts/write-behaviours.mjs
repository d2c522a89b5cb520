// Writes the page of laws from the cases and the titles of the tests that prove them.
import { writeFileSync } from 'node:fs';
import { behavioursPage } from '../test/laws/behaviours.ts';

writeFileSync(new URL('../docs/behaviours.md', import.meta.url), behavioursPage());
