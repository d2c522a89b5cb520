import { describe, expect, test } from 'vitest';
import { makeJobId } from '../../src/jobs/job-id.ts';
import { StoreAway, StoreRefusal } from '../../src/jobs/store.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the id of a job', () => {
  test('is the same for the same type and idempotency key, and another for any other pair', () => {
    expect(makeJobId('scrape', 'a')).toBe(makeJobId('scrape', 'a'));
    const ids = [
      makeJobId('scrape', 'a'),
      makeJobId('scrape', 'b'),
      makeJobId('scrapea', ''),
      makeJobId('b', 'a'),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(ids.every((id) => UUID.test(id))).toBe(true);
  });

  test('is new without a key, and sorts by the time it was made', () => {
    const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map((at) =>
      makeJobId('scrape', undefined, at),
    );
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.every((id) => UUID.test(id))).toBe(true);
    expect(makeJobId('scrape')).not.toBe(makeJobId('scrape'));
  });
});

describe('what a store throws', () => {
  test('is an answer with a code and the job in the way, or no answer at all', () => {
    expect(new StoreRefusal('singleton', 'cannot add the job: one waits already', 'x')).toMatchObject({
      code: 'singleton',
      jobId: 'x',
    });
    expect(new StoreAway('cannot ask the queue: it is away').code).toBe('store-away');
  });
});
