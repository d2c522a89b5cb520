import { notFound, redirect } from 'next/navigation';
import { Notice } from '../../../components/notice.tsx';
import { unlessAway } from '../../../lib/database.ts';
import { readAdmin, readLanguage } from '../../../lib/reader.ts';
import { findToolById, inLanguage, listCategories } from '../../../lib/tools.ts';
import { ToolForm } from '../tool-form.tsx';

export default async function EditToolPage({ params }: { params: Promise<{ id: string }> }) {
  if ((await readAdmin()) !== 'in') redirect('/admin');
  const { id: text } = await params;
  if (!/^[1-9]\d{0,8}$/.test(text)) notFound();
  const id = Number(text);
  const { language, words } = await readLanguage();
  const found = await unlessAway(() => Promise.all([findToolById(id), listCategories()]));
  if (!found) {
    const action = { href: `/admin/${id}`, label: words.retry };
    return <Notice sign="☕️" title={words.awayTitle} text={words.awayText} action={action} />;
  }
  const [tool, categories] = found;
  if (!tool) notFound();
  return (
    <div className="admin">
      <h1>{words.editTool}</h1>
      <ToolForm
        id={id}
        language={language}
        categories={categories.map(({ id, name_en, name_fr }) => ({ id, name: inLanguage(language, name_en, name_fr) }))}
        values={{
          name: tool.name,
          slug: tool.slug,
          url: tool.url ?? '',
          category_id: String(tool.category_id),
          pricing: tool.pricing,
          summary_en: tool.summary_en,
          summary_fr: tool.summary_fr ?? '',
          description_en: tool.description_en ?? '',
          description_fr: tool.description_fr ?? '',
          tags: tool.tags.join(', '),
          featured: tool.featured ? 'on' : '',
        }}
      />
    </div>
  );
}
