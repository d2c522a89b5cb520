import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hueOf, initialsOf } from '../lib/look.ts';
import { readToolForm, slugOf } from '../lib/tool-form.ts';

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

const good = { name: 'Été 2.0!', category_id: '3', summary_en: 'Makes it summer.', pricing: 'free' };

test('a good form is a tool, with its address made from the name', () => {
  const read = readToolForm(form({ ...good, tags: ' sun, sea ,, sun', description_en: 'a\r\nb\0' }));
  assert.ok('tool' in read);
  assert.equal(read.tool.slug, 'ete-2-0');
  assert.deepEqual(read.tool.tags, ['sun', 'sea']);
  assert.equal(read.tool.description_en, 'a\nb');
  assert.equal(read.tool.summary_fr, null);
  assert.equal(read.tool.url, null);
});

test('every wrong field is named at once', () => {
  const read = readToolForm(form({ name: '', slug: 'No Spaces', url: 'javascript:alert(1)', pricing: 'cheap' }));
  assert.deepEqual(read, { problems: ['name', 'slug', 'url', 'category_id', 'summary_en', 'pricing'] });
  assert.deepEqual(readToolForm(form({ ...good, tags: 'x'.repeat(20_001) })), { problems: ['text'] });
});

test('a slug has no edges and no doubles', () => {
  assert.equal(slugOf('  --Ça & là…  '), 'ca-la');
  assert.equal(slugOf('日本'), '');
  assert.match(slugOf(`${'x'.repeat(79)} y`), /x$/);
});

test('a drawn logo has one or two letters and a steady colour', () => {
  assert.equal(initialsOf('Nova Clip'), 'NC');
  assert.equal(initialsOf('NovaClip'), 'NC');
  assert.equal(initialsOf('étoile'), 'É');
  assert.equal(initialsOf('🎬'), '?');
  assert.equal(hueOf('Nova'), hueOf('Nova'));
  assert.ok(hueOf('') >= 0 && hueOf('x'.repeat(99)) < 360);
});
