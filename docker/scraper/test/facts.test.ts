import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tidyFacts, tidyLanguage } from '../src/browser/facts.ts';
import { orderIcons } from '../src/images/logo.ts';

test('facts are trimmed, bounded, and the first that says something', () => {
  const facts = tidyFacts({
    title: '  A\n tool\u0000 \u2028 ',
    titles: ['Other'],
    descriptions: ['', '   ', 'It does\tthings.', 'Second'],
    languages: ['', 'not a language!', 'fr_CA'],
    icons: [],
    text: 'x'.repeat(30_000),
  });
  assert.equal(facts.title, 'A tool');
  assert.equal(facts.description, 'It does things.');
  assert.equal(facts.language, 'fr-CA');
  assert.equal(facts.text.length, 20_000);
  assert.equal(tidyFacts({ title: '', titles: ['From the card'] }).title, 'From the card');
});

test('a long text is cut between words and never inside a letter', () => {
  const { description } = tidyFacts({ descriptions: ['word '.repeat(500)] });
  assert.match(description ?? '', /word…$/);
  assert.ok((description ?? '').length <= 1000);
  const { title } = tidyFacts({ title: '🎬'.repeat(400) });
  assert.ok((title ?? '').isWellFormed());
  assert.equal((tidyFacts({ title: 'a\ud800b' }).title ?? '').isWellFormed(), true);
});

test('a page that lies about the shape of its facts has none', () => {
  const strange = [null, 3, 'x', {}, [[]], [{ url: 3 }], [{ url: 'javascript:1', kind: 'icon' }]];
  for (const value of strange) {
    const facts = tidyFacts({
      title: value,
      titles: value,
      descriptions: value,
      languages: value,
      icons: value,
    });
    assert.deepEqual(facts.icons, []);
    assert.equal(typeof (facts.title ?? ''), 'string');
  }
  assert.deepEqual(tidyFacts({}), {
    title: undefined,
    description: undefined,
    language: undefined,
    icons: [],
    text: '',
  });
});

test('languages have the form of BCP 47', () => {
  assert.equal(tidyLanguage('EN-us'), 'en-US');
  assert.equal(tidyLanguage('zh-hant-TW'), 'zh-Hant-TW');
  for (const bad of [undefined, '', 'english language', '*', 'e', '-'])
    assert.equal(tidyLanguage(bad), undefined);
});

test('icons are tried in the order of their worth, the root one among them, none twice', () => {
  const icon = (url: string, kind: string, sizes = '') => ({ url: `https://x.test/${url}`, kind, sizes });
  const { icons } = tidyFacts({
    icons: [
      icon('favicon.ico', 'icon', '16x16'),
      icon('card.png', 'card'),
      icon('touch.png', 'touch'),
      icon('big.png', 'icon', '16x16 192x192'),
      icon('drawn.svg', 'icon', 'any'),
      icon('touch.png', 'icon'),
    ],
  });
  const ordered = orderIcons(icons, 'https://x.test/a/b').map(({ url }) => new URL(url).pathname);
  assert.deepEqual(ordered, ['/big.png', '/touch.png', '/drawn.svg', '/favicon.ico', '/card.png']);
  assert.deepEqual(
    orderIcons([], 'https://x.test/a/b').map(({ url }) => url),
    ['https://x.test/favicon.ico'],
  );
});
