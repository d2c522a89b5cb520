/** A description: paragraphs, and lists where lines begin with a bullet. */
export function Prose({ text, lang }: { text: string; lang?: string | undefined }) {
  const blocks = text.replace(/\r\n/g, '\n').split(/\n{2,}/);
  return (
    <div className="prose" lang={lang}>
      {blocks.map((block, index) => {
        const lines = block.split('\n');
        const key = `${index}`;
        if (!lines.every((line) => line.startsWith('• '))) return <p key={key}>{block}</p>;
        return (
          <ul key={key}>
            {lines.map((line) => (
              <li key={line}>{line.slice(2)}</li>
            ))}
          </ul>
        );
      })}
    </div>
  );
}
