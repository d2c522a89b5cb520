/** A good page: texts in two languages by turns, icons of several kinds, pictures, a style, a script. */
export function picturePage(n: number): string {
  const french = n % 2 === 0;
  const icons = [
    `<link rel="apple-touch-icon" sizes="180x180" href="/picture-180-${n}.png">`,
    `<link rel="icon" sizes="16x16 64x64" href="/picture-64-${n}.png">`,
    `<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='teal'/%3E%3C/svg%3E">`,
    `<meta property="og:image" content="/picture-600-${n}.png">`,
  ];
  const pictures = Array.from(
    { length: 6 },
    (_, i) => `<img src="/picture-${200 + i * 40}-${n + i}.png" width="200" height="200">`,
  );
  return `<!doctype html>
<html lang="${french ? 'fr' : 'en-GB'}">
<head>
<meta charset="utf-8">
<title>${french ? 'Outil' : 'Tool'} ${n}</title>
<meta name="description" content="${french ? `L’outil numéro ${n} & ce qu’il fait.` : `Tool number ${n} &amp; what it does.`}">
${icons[n % icons.length]}
<style>body { font: 20px sans-serif; margin: 3rem; background: hsl(${(n * 47) % 360} 60% 92%) } img { margin: 8px }</style>
</head>
<body>
<h1>${french ? 'Outil' : 'Tool'} ${n}</h1>
${`<p>${'Words about what it is good for. '.repeat(20)}</p>\n`.repeat(5)}
${pictures.join('\n')}
<script>document.querySelector('h1').append(' ✓')</script>
</body>
</html>`;
}

export const scripts = {
  eatMemory: 'const kept = []; for (;;) kept.push(Array(4e6).fill(1.5 + kept.length));',
  annoy: `
    alert('one'); confirm('two'); prompt('three');
    for (let i = 0; i < 5; i++) window.open('/page/1');
    addEventListener('beforeunload', (event) => { event.preventDefault(); event.returnValue = 'stay'; });
    const link = document.createElement('a'); link.href = 'data:application/octet-stream,download'; link.download = 'evil.exe'; document.body.append(link); link.click();
    setInterval(() => alert('again'), 50);`,
} as const;
