export const PRICINGS = ['free', 'freemium', 'paid', 'contact'] as const;
export type Pricing = (typeof PRICINGS)[number];

export type ToolInput = {
  name: string;
  slug: string;
  url: string | null;
  category_id: number;
  summary_en: string;
  summary_fr: string | null;
  description_en: string | null;
  description_fr: string | null;
  tags: string[];
  pricing: Pricing;
  featured: boolean;
};

export type FieldProblem = 'name' | 'slug' | 'url' | 'category_id' | 'summary_en' | 'pricing' | 'text';

/** A name as it stands in an address: "Été 2.0!" is "ete-2-0". */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80)
    .replace(/-+$/, '');
}

function isWebAddress(value: string): boolean {
  return /^https?:\/\/[^\s]+$/.test(value) && URL.canParse(value) && value.length <= 500;
}

/** Reads the form of the admin page: the tool, or the fields that are wrong. */
export function readToolForm(form: FormData): { tool: ToolInput } | { problems: FieldProblem[] } {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' ? value.replace(/\r\n/g, '\n').replaceAll('\0', '').trim() : '';
  };
  const name = text('name');
  const slug = text('slug') || slugOf(name);
  const url = text('url');
  const category = Number(text('category_id'));
  const pricing = PRICINGS.find((known) => known === text('pricing'));
  const problems: FieldProblem[] = [];
  if (name.length < 1 || name.length > 120) problems.push('name');
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) || slug.length > 120) problems.push('slug');
  if (url && !isWebAddress(url)) problems.push('url');
  if (!Number.isInteger(category) || category < 1 || category > 32_767) problems.push('category_id');
  if (!text('summary_en') || text('summary_en').length > 400) problems.push('summary_en');
  if (!pricing) problems.push('pricing');
  if (['summary_fr', 'description_en', 'description_fr', 'tags'].some((field) => text(field).length > 20_000)) {
    problems.push('text');
  }
  if (problems.length > 0 || !pricing) return { problems };
  return {
    tool: {
      name,
      slug,
      url: url || null,
      category_id: category,
      summary_en: text('summary_en'),
      summary_fr: text('summary_fr') || null,
      description_en: text('description_en') || null,
      description_fr: text('description_fr') || null,
      tags: [...new Set(text('tags').split(',').map((tag) => tag.trim()).filter(Boolean))].slice(0, 20),
      pricing,
      featured: form.get('featured') === 'on',
    },
  };
}
