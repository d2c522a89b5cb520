import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOomKills, wordsOfCrash } from '../src/browser/crash.ts';

const V8 = `[1121/174825.292547:ERROR:third_party/blink/renderer/bindings/core/v8/v8_oom.cc:49] V8 javascript OOM (CALL_AND_RETRY_LAST).`;
const NOISE = '[1121/174814.9:ERROR:dbus/bus.cc:405] Failed to connect to the bus: unknown address type';

for (const [what, signs, words] of [
  [
    'its own heap',
    { crash: { status: 'crashed', errorCode: 5 }, said: V8, oomKills: 0 },
    /^out of memory: the page/,
  ],
  [
    'the kernel',
    { crash: { status: 'killed', errorCode: 9 }, said: '', oomKills: 1 },
    /^out of memory: the kernel/,
  ],
  ['Chromium', { crash: { status: 'oom', errorCode: 0 }, said: '', oomKills: undefined }, /^out of memory/],
  [
    'somebody',
    { crash: { status: 'killed', errorCode: 9 }, said: '', oomKills: 0 },
    /^the tab was killed \(SIGKILL\)$/,
  ],
  [
    'whom nobody can tell',
    { crash: { status: 'killed', errorCode: 9 }, said: '', oomKills: undefined },
    /^the tab was killed \(SIGKILL\), as the kernel does where memory runs out$/,
  ],
  [
    'a fault of its own',
    { crash: { status: 'crashed', errorCode: 11 }, said: NOISE, oomKills: 0 },
    /^the tab crashed \(SIGSEGV\)$/,
  ],
  ['nobody knows what', { crash: undefined, said: NOISE, oomKills: 0 }, /^the tab crashed$/],
] as const) {
  test(`a tab that was ended by ${what} says so`, () => assert.match(wordsOfCrash(signs), words));
}

test('what the kernel has killed is a number, or not to be seen', () => {
  const kills = countOomKills();
  assert.ok(kills === undefined || (Number.isInteger(kills) && kills >= 0));
});
