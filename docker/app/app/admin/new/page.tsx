import { redirect } from 'next/navigation';
import { Notice } from '../../../components/notice.tsx';
import { unlessAway } from '../../../lib/database.ts';
import { readAdmin, readLanguage } from '../../../lib/reader.ts';
import { inLanguage, listCategories } from '../../../lib/tools.ts';
import { ToolForm } from '../tool-form.tsx';

export default async function NewToolPage() {
  if ((await readAdmin()) !== 'in') redirect('/admin');
  const { language, words } = await readLanguage();
  const categories = await unlessAway(listCategories);
  if (!categories) {
    const action = { href: '/admin/new', label: words.retry };
    return <Notice sign="☕️" title={words.awayTitle} text={words.awayText} action={action} />;
  }
  return (
    <div className="admin">
      <h1>{words.addTool}</h1>
      <ToolForm
        id={null}
        language={language}
        categories={categories.map(({ id, name_en, name_fr }) => ({ id, name: inLanguage(language, name_en, name_fr) }))}
        values={{}}
      />
    </div>
  );
}
