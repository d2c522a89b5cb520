import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  countStatement,
  foldText,
  pageNumbers,
  pageStatement,
  readSearch,
  searchHref,
  toTsQuery,
} from '../lib/search.ts';

const plain = readSearch({});

test('an address without parameters is the plain first page', () => {
  assert.deepEqual(plain, { q: '', category: '', sort: 'popular', page: 1 });
  assert.equal(searchHref(plain), '/');
});

test('odd parameters become the plain first page', () => {
  const odd = { q: ['  a \n b ', 'c'], category: "x'; DROP", sort: 'constructor', page: '-3' };
  assert.deepEqual(readSearch(odd), { q: 'a b', category: '', sort: 'popular', page: 1 });
  assert.equal(readSearch({ page: '1e9' }).page, 1);
  assert.equal(readSearch({ q: 'x'.repeat(500) }).q.length, 80);
});

test('an address survives being written and read', () => {
  const search = { q: 'été & co', category: 'code', sort: 'newest', page: 7 } as const;
  const href = searchHref(search);
  assert.deepEqual(readSearch(Object.fromEntries(new URL(href, 'http://x').searchParams)), search);
  assert.equal(searchHref(search, { page: 1 }, '/admin').startsWith('/admin?q='), true);
});

test('words become a query of beginnings, whatever signs stand around them', () => {
  assert.equal(toTsQuery('Vidéo  MONTAGE'), "'video':* & 'montage':*");
  assert.equal(toTsQuery("gpt-4 & !(a | b) '':*\\"), "'gpt':* & '4':* & 'a':* & 'b':*");
  assert.equal(toTsQuery('日本語'), "'日本語':*");
  assert.equal(toTsQuery('&&& !'), '');
});

test('the database folds the same letters', () => {
  const sql = readFileSync(new URL('../migrations/0002_search.sql', import.meta.url), 'utf8');
  const [, from = '', to = ''] = /ELSE translate\(lower\(value\), '(.*)', '(.*)'\)/.exec(sql) ?? [];
  assert.equal([...from].length, [...to].length);
  [...from].forEach((letter, index) => {
    assert.equal(foldText(letter), ([...to][index] ?? '').trim(), letter);
  });
  assert.equal(foldText('ß ž 한국'), 'ß ž 한국');
});

test('what a visitor types is only ever a parameter', () => {
  const search = readSearch({ q: "Robert'); DROP", category: 'code', page: '3' });
  const statement = pageStatement(search);
  assert.equal(/Robert|DROP/.test(statement.text), false);
  assert.deepEqual(statement.values, ['code', "'robert':* & 'drop':*", 'robert drop', 24, 48]);
});

test('every parameter of a statement is used, and none is missing', () => {
  for (const q of ['', 'logo', '?!'])
    for (const category of ['', 'code'])
      for (const sort of ['popular', 'rated', 'newest', 'name'] as const) {
        const search = { q, category, sort, page: 2 };
        for (const { text, values } of [pageStatement(search, 10), countStatement(search)]) {
          const used = new Set([...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
          assert.deepEqual([...used].sort(), values.map((_, index) => index + 1), text);
        }
      }
});

test('page numbers show the ends, the neighbours and the gaps', () => {
  assert.deepEqual(pageNumbers(1, 1), [1]);
  assert.deepEqual(pageNumbers(1, 699), [1, 2, null, 699]);
  assert.deepEqual(pageNumbers(350, 699), [1, null, 349, 350, 351, null, 699]);
  assert.deepEqual(pageNumbers(3, 5), [1, 2, 3, 4, 5]);
  assert.deepEqual(pageNumbers(900, 3), [1, 2, 3]);
});
