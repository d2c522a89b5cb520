import { describe, expect, test } from 'vitest';
import { nearestWords, suggestWord } from '../../src/base/suggest.ts';

const words = ['command', 'environment', 'healthcheck', 'depends_on', 'user', 'nice'];

describe('suggestWord', () => {
  test.each([
    ['comand', 'command'],
    ['commnad', 'command'],
    ['Command', 'command'],
    ['dependsOn', 'depends_on'],
    ['health-check', 'healthcheck'],
    ['enviroment', 'environment'],
    ['usre', 'user'],
  ])('%s is most likely %s', (typed, meant) => {
    expect(suggestWord(typed, words)).toBe(meant);
  });

  test.each(['volumes', 'x', '', 'zzzz', 'image'])('"%s" is like none of them', (typed) => {
    expect(suggestWord(typed, words)).toBeUndefined();
  });
});

test('nearestWords cuts a long list to the likely ones', () => {
  expect(nearestWords('helthchek', words, 2)[0]).toBe('healthcheck');
  expect(nearestWords('helthchek', words, 2)).toHaveLength(2);
});
