'use server';

import { setTimeout as delay } from 'node:timers/promises';
import { cookies, headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { isDuplicate, reasonOf } from '../../lib/database.ts';
import { readAdmin } from '../../lib/reader.ts';
import { isSame, makeSession, readKeys, SESSION_COOKIE, SESSION_SECONDS } from '../../lib/session.ts';
import { type FieldProblem, readToolForm } from '../../lib/tool-form.ts';
import { addTool, changeTool } from '../../lib/tools.ts';

// Server actions take only POST, and Next refuses one whose Origin is not this host: together with a
// SameSite=Strict cookie another site cannot act in the admin's name.

export type SignInProblem = 'wrongPassword' | 'tooMany' | 'adminOff' | null;
export type SaveProblem = FieldProblem | 'taken' | 'away' | 'gone' | 'signedOut';
export type SaveState = { problems: SaveProblem[]; values: Record<string, string> } | null;

const WRONG_PASSWORD_DELAY_MS = 500;
const MOST_WAITING = 5;
let waiting = 0;

async function isSecure(): Promise<boolean> {
  const proto = (await headers()).get('x-forwarded-proto');
  return proto?.split(',')[0] === 'https' || Boolean(process.env.NEXTAUTH_URL?.startsWith('https:'));
}

export async function signIn(_before: SignInProblem, form: FormData): Promise<SignInProblem> {
  const keys = readKeys(process.env);
  if (!keys) return 'adminOff';
  // A wrong password costs half a second and only a few may wait at once: ten guesses a second at most.
  if (waiting >= MOST_WAITING) return 'tooMany';
  if (!isSame(String(form.get('password') ?? ''), keys.password)) {
    waiting += 1;
    await delay(WRONG_PASSWORD_DELAY_MS);
    waiting -= 1;
    return 'wrongPassword';
  }
  (await cookies()).set(SESSION_COOKIE, makeSession(keys, Date.now()), {
    httpOnly: true,
    sameSite: 'strict',
    secure: await isSecure(),
    path: '/',
    maxAge: SESSION_SECONDS,
  });
  redirect('/admin');
}

export async function signOut(): Promise<void> {
  (await cookies()).delete(SESSION_COOKIE);
  redirect('/admin');
}

/** Adds a tool (id null) or changes one; on success goes on to the admin's list. */
export async function saveTool(id: number | null, _before: SaveState, form: FormData): Promise<SaveState> {
  const values = Object.fromEntries([...form].filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  // Every action is a public address, so each one asks again who is there.
  if ((await readAdmin()) !== 'in') return { problems: ['signedOut'], values };
  if (id !== null && (!Number.isInteger(id) || id < 1 || id > 2_147_483_647)) return { problems: ['gone'], values };
  const read = readToolForm(form);
  if ('problems' in read) return { problems: read.problems, values };
  try {
    if (id === null) await addTool(read.tool);
    else if (!(await changeTool(id, read.tool))) return { problems: ['gone'], values };
  } catch (error) {
    if (isDuplicate(error)) return { problems: ['taken'], values };
    if (reasonOf(error) === '23503') return { problems: ['category_id'], values };
    console.error(`cannot save a tool: ${reasonOf(error)} ${error instanceof Error ? error.message : ''}`);
    return { problems: ['away'], values };
  }
  redirect(`/admin?saved=${encodeURIComponent(read.tool.slug)}`);
}
