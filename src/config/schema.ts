import { planShape } from './plan-words.ts';
import type { JsonSchema } from './shape.ts';

/**
 * JSON Schema of a plan file, for editors. Draft-07, because yaml-language-server reads nothing newer;
 * made from the tables that validate, so it cannot disagree with them.
 */
export function planSchema(): JsonSchema {
  const { required, ...schema } = planShape.schema;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'bulkhead.schema.json',
    title: 'Plan of Bulkhead',
    description:
      'What runs in the container: PostgreSQL, services and tasks, in words of the Compose Specification.',
    ...schema,
    type: 'object',
    required,
  };
}

/** The text of config/bulkhead.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(planSchema(), null, 2)}\n`;
}
