import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLanguage, localPath } from '../lib/language.ts';
import { words } from '../lib/words.ts';

test("the browser's best language of ours wins", () => {
  assert.equal(chooseLanguage('fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5'), 'fr');
  assert.equal(chooseLanguage('en;q=0.7, fr;q=0.9'), 'fr');
  assert.equal(chooseLanguage('de, en-GB;q=0.8, fr;q=0.3'), 'en');
  assert.equal(chooseLanguage('fr;q=0, en;q=0.1'), 'en');
});

test('English is the answer to everything else', () => {
  for (const header of [null, '', '*', 'de-DE,de', 'fr;q=0', 'frankish', ';;;,,,=']) {
    assert.equal(chooseLanguage(header), 'en', String(header));
  }
});

test('the switch beats the browser, when it names a language of ours', () => {
  assert.equal(chooseLanguage('fr', 'en'), 'en');
  assert.equal(chooseLanguage('fr', 'xx'), 'fr');
});

test('going back never leaves the site', () => {
  assert.equal(localPath('/tools/x?a=1'), '/tools/x?a=1');
  for (const bad of [null, '', 'https://evil.example', '//evil.example/x', '/\\evil.example', '/.//evil.example', 'javascript:x']) {
    assert.equal(localPath(bad), '/', String(bad));
  }
});

test('both languages say everything', () => {
  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
      : typeof value;
  assert.deepEqual(shape(words.fr), shape(words.en));
});
