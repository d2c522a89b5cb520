import { BULKHEAD_VARIABLES } from './known-variables.ts';
import { planSchema } from './schema.ts';

interface Node {
  readonly type?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly enum?: readonly unknown[];
}

/** The page of all words and variables, made from the tables that validate: what it lists is what is read. */
export function referencePage(): string {
  const sections = [...sectionsOf(planSchema() as Node, '', 'The plan')].map(
    ({ title, words }) => `## ${title}\n\n| word | means | default |\n|---|---|---|\n${words.join('\n')}\n`,
  );
  const variables = Object.entries(BULKHEAD_VARIABLES).map(([name, doc]) => `| \`${name}\` | ${doc} |`);
  return `# Words of a plan

<!-- Made by \`npm run schema\`; change the tables in src/config instead. -->

Words that Compose has mean what they mean there; \`restart\` alone has another default, \`always\`.
Values may hold variables as in Compose: \`\${NAME}\`, \`\${NAME:-default}\`, \`\${NAME:?message}\`, \`$$\` for a dollar.

${sections.join('\n')}
## Variables

| variable | means |
|---|---|
${variables.join('\n')}
`;
}

interface Section {
  readonly title: string;
  readonly words: readonly string[];
}

function* sectionsOf(node: Node, path: string, title: string): Generator<Section> {
  const properties = Object.entries(node.properties ?? {}).filter(
    ([, { description }]) => !description?.startsWith('No effect'),
  );
  if (properties.length > 0) yield { title, words: properties.map(([name, word]) => row(name, word)) };
  for (const [name, word] of properties) {
    const at = path === '' ? name : `${path}.${name}`;
    for (const { suffix, inner } of innerMaps(word))
      yield* sectionsOf(inner, at + suffix, `\`${at}${suffix}\``);
  }
}

/** Maps of words inside a word: itself, one of its forms, the items of its list, or the entries people name. */
function* innerMaps(word: Node): Generator<{ suffix: string; inner: Node }> {
  if (word.properties) yield { suffix: '', inner: word };
  for (const [pattern, inner] of Object.entries(word.patternProperties ?? {})) {
    if (!word.properties && pattern !== '^x-' && inner.properties) yield { suffix: '.NAME', inner };
  }
  if (typeof word.additionalProperties === 'object' && word.additionalProperties.properties) {
    yield { suffix: '.NAME', inner: word.additionalProperties };
  }
  if (word.items?.properties) yield { suffix: '[]', inner: word.items };
  // A list of the same map says nothing new.
  const [map] = (word.anyOf ?? []).flatMap((form) => [...innerMaps(form)]);
  if (map) yield map;
}

function row(name: string, { description = '', default: given, examples }: Node): string {
  const shown = examples?.map((example) => code(example)).join(' or ');
  const means = description + (shown === undefined ? '' : ` E.g. ${shown}.`);
  return `| \`${name}\` | ${means.replaceAll('|', '\\|')} | ${given === undefined ? '' : code(given)} |`;
}

function code(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value).replaceAll('","', '", "');
  return `\`${text.replaceAll('|', '\\|')}\``;
}
