import 'server-only';
import { assetAddress } from './assets.ts';
import { readRows, writeRows } from './database.ts';
import type { Language } from './language.ts';
import { countStatement, pageStatement, type Search } from './search.ts';
import type { Pricing, ToolInput } from './tool-form.ts';

export type ToolCard = {
  id: number;
  name: string;
  slug: string;
  url: string | null;
  summary_en: string;
  summary_fr: string | null;
  pricing: Pricing;
  rating: number | null;
  votes: number;
  featured: boolean;
  tags: string[];
  /** Address of its own logo, where there is one. */
  logo: string | null;
  category: string;
  category_en: string;
  category_fr: string;
};

export type Tool = ToolCard & {
  category_id: number;
  description_en: string | null;
  description_fr: string | null;
  price_from: number | null;
  created_at: Date;
  updated_at: Date;
  links: { kind: string; url: string }[];
  screenshot: string | null;
  /** What a language model made of the tool's website. */
  written_en: string | null;
  written_fr: string | null;
  /** What that website says of itself, in whatever language. */
  site_description: string | null;
  site_language: string | null;
};

// Rows have the paths of pictures; everything else has their addresses.
type CardRow = Omit<ToolCard, 'logo'> & { logo_path: string | null };
type ToolRow = Omit<Tool, 'logo' | 'screenshot'> & { logo_path: string | null; screenshot_path: string | null };

function showCard({ logo_path, ...row }: CardRow): ToolCard {
  return { ...row, logo: assetAddress(logo_path) };
}

function showTool({ logo_path, screenshot_path, ...row }: ToolRow): Tool {
  return { ...row, logo: assetAddress(logo_path), screenshot: assetAddress(screenshot_path) };
}

export type Category = { id: number; slug: string; name_en: string; name_fr: string; symbol: string; tools: number };

export async function findTools(search: Search, size?: number): Promise<{ tools: ToolCard[]; total: number }> {
  const page = pageStatement(search, size);
  const count = countStatement(search);
  const [tools, counted] = await Promise.all([
    readRows<CardRow>(page.text, page.values),
    readRows<{ total: number }>(count.text, count.values),
  ]);
  return { tools: tools.map(showCard), total: counted[0]?.total ?? 0 };
}

export async function listCategories(): Promise<Category[]> {
  return readRows<Category>('SELECT id, slug, name_en, name_fr, symbol, tools FROM category_counts ORDER BY position');
}

const toolColumns = `SELECT t.id, t.name, t.slug, t.url, t.summary_en, t.summary_fr,
  t.description_en, t.description_fr, s.written_en, s.written_fr,
  s.description AS site_description, s.language AS site_language, t.logo_path, t.screenshot_path,
  t.pricing, t.price_from::float8 AS price_from, t.rating::float8 AS rating, t.votes, t.featured, t.tags,
  t.category_id, t.created_at, t.updated_at, c.slug AS category, c.name_en AS category_en, c.name_fr AS category_fr,
  coalesce((SELECT json_agg(json_build_object('kind', l.kind, 'url', l.url) ORDER BY l.kind)
    FROM tool_links l WHERE l.tool_id = t.id), '[]') AS links
FROM tools t JOIN categories c ON c.id = t.category_id LEFT JOIN tool_sites s ON s.tool_id = t.id`;

export async function findTool(slug: string): Promise<Tool | undefined> {
  return (await readRows<ToolRow>(`${toolColumns} WHERE t.slug = $1`, [slug])).map(showTool)[0];
}

export async function findToolById(id: number): Promise<Tool | undefined> {
  return (await readRows<ToolRow>(`${toolColumns} WHERE t.id = $1`, [id])).map(showTool)[0];
}

/** Most voted tools of the same category. */
export async function findRelated(tool: Tool): Promise<ToolCard[]> {
  const { tools } = await findTools({ q: '', category: tool.category, sort: 'popular', page: 1 }, 5);
  return tools.filter((other) => other.id !== tool.id).slice(0, 4);
}

const inputColumns = [
  'name',
  'slug',
  'url',
  'category_id',
  'summary_en',
  'summary_fr',
  'description_en',
  'description_fr',
  'tags',
  'pricing',
  'featured',
] as const satisfies (keyof ToolInput)[];

export async function addTool(tool: ToolInput): Promise<string> {
  const [row] = await writeRows<{ slug: string }>(
    `INSERT INTO tools (${inputColumns.join(', ')}) VALUES (${inputColumns.map((_, i) => `$${i + 1}`).join(', ')})
RETURNING slug`,
    inputColumns.map((column) => tool[column]),
  );
  return row?.slug ?? tool.slug;
}

/** False when there is no such tool. */
export async function changeTool(id: number, tool: ToolInput): Promise<boolean> {
  const rows = await writeRows(
    `UPDATE tools SET ${inputColumns.map((column, i) => `${column} = $${i + 2}`).join(', ')} WHERE id = $1 RETURNING id`,
    [id, ...inputColumns.map((column) => tool[column])],
  );
  return rows.length === 1;
}

/** A text in the reader's language, or in English where there is no translation. */
export function inLanguage(language: Language, en: string, fr: string | null): string;
export function inLanguage(language: Language, en: string | null, fr: string | null): string | null;
export function inLanguage(language: Language, en: string | null, fr: string | null): string | null {
  return language === 'fr' ? (fr ?? en) : (en ?? fr);
}
