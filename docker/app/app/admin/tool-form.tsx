'use client';

import Link from 'next/link';
import { type ReactNode, useActionState } from 'react';
import type { Language } from '../../lib/language.ts';
import { PRICINGS } from '../../lib/tool-form.ts';
import { words } from '../../lib/words.ts';
import { type SaveProblem, type SaveState, saveTool } from './actions.ts';

type Props = {
  id: number | null;
  language: Language;
  categories: { id: number; name: string }[];
  values: Record<string, string>;
};

/** Fields whose problem is told beside them; the others are told above the form. */
const beside: Record<string, SaveProblem[]> = { slug: ['taken'] };

export function ToolForm({ id, language, categories, values: saved }: Props) {
  const [state, action, pending] = useActionState<SaveState, FormData>(saveTool.bind(null, id), null);
  const here = words[language];
  const values = state?.values ?? saved;
  const problems = state?.problems ?? [];
  const says = (problem: SaveProblem) => (problem === 'signedOut' ? here.signedOut : here.problems[problem]);

  const field = (name: keyof typeof here.fields, control: (id: string) => ReactNode, hint?: string) => {
    const problem = problems.find((known) => known === name || beside[name]?.includes(known));
    return (
      <div className="field">
        <label htmlFor={name}>{here.fields[name]}</label>
        {control(name)}
        {problem ? (
          <p className="problem" role="alert">
            {says(problem)}
          </p>
        ) : (
          hint && <p className="hint">{hint}</p>
        )}
      </div>
    );
  };
  const general = problems.filter((problem) => ['text', 'away', 'gone', 'signedOut'].includes(problem));

  return (
    // The key brings rejected input back into the uncontrolled fields.
    <form action={action} className="panel tool-form" key={JSON.stringify(state)} noValidate>
      {general.map((problem) => (
        <p key={problem} className="problem problem-wide" role="alert">
          {says(problem)}
        </p>
      ))}
      <div className="pair">
        {field('name', (id) => (
          <input id={id} name="name" defaultValue={values.name} maxLength={120} required />
        ))}
        {field(
          'slug',
          (id) => (
            <input id={id} name="slug" defaultValue={values.slug} maxLength={120} spellCheck={false} />
          ),
          here.fields.slugHint,
        )}
      </div>
      {field('url', (id) => (
        <input id={id} name="url" type="url" defaultValue={values.url} placeholder="https://" spellCheck={false} />
      ))}
      <div className="pair">
        {field('category_id', (id) => (
          <select id={id} name="category_id" defaultValue={values.category_id}>
            {categories.map((category) => (
              <option key={category.id} value={category.id}>
                {category.name}
              </option>
            ))}
          </select>
        ))}
        {field('pricing', (id) => (
          <select id={id} name="pricing" defaultValue={values.pricing ?? 'freemium'}>
            {PRICINGS.map((pricing) => (
              <option key={pricing} value={pricing}>
                {here.pricing[pricing]}
              </option>
            ))}
          </select>
        ))}
      </div>
      <div className="pair">
        {field('summary_en', (id) => (
          <textarea id={id} name="summary_en" defaultValue={values.summary_en} rows={3} maxLength={400} lang="en" />
        ))}
        {field('summary_fr', (id) => (
          <textarea id={id} name="summary_fr" defaultValue={values.summary_fr} rows={3} maxLength={400} lang="fr" />
        ))}
      </div>
      <div className="pair">
        {field('description_en', (id) => (
          <textarea id={id} name="description_en" defaultValue={values.description_en} rows={8} lang="en" />
        ))}
        {field('description_fr', (id) => (
          <textarea id={id} name="description_fr" defaultValue={values.description_fr} rows={8} lang="fr" />
        ))}
      </div>
      {field('tags', (id) => <input id={id} name="tags" defaultValue={values.tags} />, here.fields.tagsHint)}
      <label className="check">
        <input type="checkbox" name="featured" defaultChecked={values.featured === 'on'} /> {here.fields.featured}
      </label>
      <div className="form-foot">
        <button type="submit" className="button" disabled={pending}>
          {pending ? here.saving : here.save}
        </button>
        <Link href="/admin" className="button button-quiet" prefetch={false}>
          {here.cancel}
        </Link>
      </div>
    </form>
  );
}
