import type { Language } from './language.ts';

/** The texts that may tell what a tool is: people's, a language model's, and its website's own. */
export type AboutTexts = {
  summary_en: string;
  summary_fr: string | null;
  description_en: string | null;
  description_fr: string | null;
  written_en: string | null;
  written_fr: string | null;
  site_description: string | null;
  site_language: string | null;
};

/**
 * The best text about a tool, and its language where that is not the reader's. People's words first, the reader's
 * language before another; the website's own only where nobody wrote a description.
 */
export function aboutTool(language: Language, tool: AboutTexts): { text: string; lang?: string } {
  const other: Language = language === 'en' ? 'fr' : 'en';
  const here = tool[`description_${language}`] ?? tool[`written_${language}`];
  if (here) return { text: here };
  const there = tool[`description_${other}`] ?? tool[`written_${other}`];
  if (there) return { text: there, lang: other };
  if (tool.site_description) {
    const { site_language } = tool;
    const same = site_language === null || site_language.split('-')[0] === language;
    return same ? { text: tool.site_description } : { text: tool.site_description, lang: site_language };
  }
  const summary = tool[`summary_${language}`];
  return summary ? { text: summary } : { text: tool.summary_en, lang: 'en' };
}
