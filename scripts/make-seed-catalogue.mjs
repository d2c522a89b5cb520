// The invented catalogue of make-seed.mjs: rows for categories, tools and tool_links.
import {
  categories,
  endings,
  features,
  fronts,
  hazards,
  manners,
  openings,
  suffixes,
} from './make-seed-words.mjs';

const TOOLS = 16_765;
const FIRST_DAY = Date.UTC(2022, 10, 30);
const DAYS = 1_130;
const SECONDS_A_DAY = 86_400;

/** mulberry32: small, well spread, and the same on every machine. */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = createRandom(16_765);
const chance = (share) => random() < share;
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];

function pickSome(list, count) {
  const left = [...list];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(below(left.length), 1)[0]);
}

function slugOf(name) {
  return name
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

function inventName(category) {
  const root = pick(category.roots);
  const shapes = [
    () => root + pick(endings),
    () => pick(fronts) + root,
    () => `${pick(fronts)} ${root}`,
    () => pick(fronts) + pick(endings),
    () => `${root}${pick(endings)} ${pick(suffixes)}`,
    () => `${pick(fronts)}${root.toLowerCase()} ${pick(suffixes)}`,
    () => `${root}.${pick(['ai', 'io', 'app', 'so'])}`,
    () => `${pick(fronts)} ${root} ${pick(suffixes)}`,
  ];
  return pick(shapes)();
}

function inventUnusedName(category, used) {
  for (let round = 0; ; round += 1) {
    const name = round < 8 ? inventName(category) : `${inventName(category)} ${pick(suffixes)}`;
    const slug = slugOf(name);
    if (!used.has(slug)) {
      used.add(slug);
      return { name, slug };
    }
  }
}

function describe(name) {
  const [en, fr] = pick(openings)(name);
  const listed = pickSome(features, 1 + below(3));
  const bullets = (index) => listed.map((feature) => `• ${feature[index]}`).join('\n');
  return { en: `${en}\n\n${bullets(0)}`, fr: `${fr}\n\n${bullets(1)}` };
}

/** Most tools have few votes, a handful have very many. */
function inventVotes() {
  return Math.floor(9_800 * random() ** 7 + 40 * random());
}

function inventPrice(pricing) {
  if (pricing === 'free' || pricing === 'contact' || chance(0.35)) return null;
  return pick([4.99, 7, 9, 9.99, 12, 15, 19, 24.5, 29, 39, 49, 79, 99]);
}

function inventTool(id, category, categoryId, used) {
  const { name, slug } = inventUnusedName(category, used);
  const task = pick(category.tasks);
  const manner = pick(manners);
  const text = chance(0.9) ? describe(name) : { en: null, fr: null };
  if (text.en && chance(0.012)) text.en += `\n\n${pick(hazards)}`;
  const pricing = pick(['free', 'freemium', 'freemium', 'freemium', 'paid', 'paid', 'contact']);
  const votes = inventVotes();
  const created = FIRST_DAY + below(DAYS * SECONDS_A_DAY) * 1000;
  const updated = Math.min(
    created + below(200 * SECONDS_A_DAY) * 1000,
    FIRST_DAY + DAYS * SECONDS_A_DAY * 1000,
  );
  return {
    id,
    name,
    slug,
    url: chance(0.97)
      ? `https://${slug}.example${chance(0.2) ? '/?ref=toolshelf&utm_source=list' : ''}`
      : null,
    category_id: categoryId,
    summary_en: `${task[0]} ${manner[0]}.`,
    summary_fr: chance(0.94) ? `${task[1]} ${manner[1]}.` : null,
    description_en: text.en,
    description_fr: chance(0.85) ? text.fr : null,
    tags: pickSome(category.tags, 1 + below(4)),
    pricing,
    price_from: inventPrice(pricing),
    rating: votes > 12 ? Math.round((3.2 + 1.8 * Math.sqrt(random())) * 10) / 10 : null,
    votes,
    featured: votes > 3_000 && chance(0.3),
    ...noPictures(),
    details: chance(0.4)
      ? { platforms: pickSome(['web', 'macos', 'windows', 'ios', 'android'], 1 + below(3)), api: chance(0.3) }
      : {},
    created_at: new Date(created).toISOString(),
    updated_at: new Date(updated).toISOString(),
  };
}

/** What is invented was never visited. The dice roll as they did, so that all the rest stays what it was. */
function noPictures() {
  chance(0.3);
  chance(0.2);
  return { logo_path: null, screenshot_path: null };
}

function inventLinks(tool) {
  const addresses = {
    docs: `https://docs.${tool.slug}.example/`,
    github: `https://code.example/${tool.slug}`,
    youtube: `https://video.example/@${tool.slug}`,
    discord: `https://talk.example/${tool.slug}`,
    linkedin: `https://work.example/company/${tool.slug}`,
  };
  const kinds = chance(0.35) ? pickSome(Object.keys(addresses), 1 + below(3)) : [];
  return kinds.sort().map((kind) => ({ tool_id: tool.id, kind, url: addresses[kind] }));
}

/** All rows, in the order they must be inserted. Call it once: a second call would go on drawing. */
export function generateCatalogue() {
  const weighted = categories.flatMap((category, index) => Array(category.weight).fill(index));
  const used = new Set();
  const tools = Array.from({ length: TOOLS }, (_, index) => {
    const chosen = pick(weighted);
    return inventTool(index + 1, categories[chosen], chosen + 1, used);
  });
  return {
    categories: categories.map(({ slug, en, fr, symbol }, index) => ({
      id: index + 1,
      slug,
      name_en: en,
      name_fr: fr,
      symbol,
      position: index + 1,
    })),
    tools,
    links: tools.flatMap(inventLinks),
  };
}
