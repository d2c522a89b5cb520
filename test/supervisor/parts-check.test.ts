import { expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import { type PartFacts, refuseMissingParts } from '../../src/supervisor/parts-check.ts';
import { type Given, planOf, readText } from '../config/reading.ts';

const PLAN = `
version: 1
services: { app: { command: [sh] } }
queue: { concurrency: "\${WORKER_CONCURRENCY:-2}" }
jobs:
  scrape: { command: [node, scrape.js], working_dir: /scraper, user: scraper }
  backup: { command: [bulkhead, backup, run] }
`;

function check(facts: Partial<PartFacts> = {}, given: Given = {}): void {
  const plan = planOf(readText(PLAN, given));
  refuseMissingParts(plan, {
    exists: () => true,
    findUser: () => undefined,
    findProgram: (name) => (name === 'bulkhead' ? undefined : `/usr/bin/${name}`),
    isolated: true,
    ...facts,
  });
}

const withoutFolder: Partial<PartFacts> = { exists: (path) => path !== '/scraper' };

test('jobs that have all they need are fine', () => {
  expect(() => check()).not.toThrow();
});

test('a folder that is missing names the image that has it', () => {
  expect(() => check(withoutFolder, { flags: { tier: 'scraper' } })).toThrow(
    expect.objectContaining({
      message: 'cannot start: job scrape works in /scraper, and there is no such folder',
      remedy: expect.stringContaining('--target scraper'),
      exitCode: 13,
    }),
  );
});

test('a plan of somebody else names its own words', () => {
  expect(() => check(withoutFolder)).toThrow(
    expect.objectContaining({ remedy: 'put it into the image, or correct jobs.scrape' }),
  );
});

test('a program that is missing is told', () => {
  expect(() => check({ findProgram: () => undefined })).toThrow(
    'job scrape runs node, and there is no such program',
  );
});

test('a user that is missing is told, where users count', () => {
  const findUser = () => {
    throw new Failure('there is no user scraper');
  };
  expect(() => check({ findUser })).toThrow('job scrape runs as scraper: there is no user scraper');
  expect(() => check({ findUser, isolated: false })).not.toThrow();
});

test('whoever does no jobs needs nothing for them', () => {
  expect(() => check(withoutFolder, { env: { WORKER_CONCURRENCY: '0' } })).not.toThrow();
  expect(() => check(withoutFolder, { env: { BULKHEAD_DISABLE: 'worker' } })).not.toThrow();
});
