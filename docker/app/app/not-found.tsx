import { Notice } from '../components/notice.tsx';
import { readLanguage } from '../lib/reader.ts';

export default async function NotFound() {
  const { words } = await readLanguage();
  return (
    <Notice
      sign="🗂️"
      title={words.missingTitle}
      text={words.missingText}
      action={{ href: '/', label: words.showAll }}
    />
  );
}
