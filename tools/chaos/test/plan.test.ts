// Does a seed bring a plan back, and does each run see everything?

import { expect, it } from 'vitest';
import { planOf, type PlanOptions } from '../plan.ts';

const MINUTES: PlanOptions = { seed: 1, length: 120_000, servers: 2, pages: 2 };
const SECONDS: PlanOptions = { seed: 1, length: 18_000, servers: 2, pages: 1 };

const names = (options: PlanOptions) => new Set(planOf(options).map(({ mishap }) => mishap.name));

it('a seed brings back its plan, and another seed another one', () => {
  expect(planOf(MINUTES)).toEqual(planOf(MINUTES));
  expect(planOf(MINUTES)).not.toEqual(planOf({ ...MINUTES, seed: 2 }));
});

it.each([1, 2, 3, 4, 5])('everything goes wrong at least once, also in the short run of CI: seed %i', (seed) => {
  expect(names({ ...SECONDS, seed })).toEqual(names({ ...MINUTES, seed }));
  expect(names({ ...SECONDS, seed }).size).toBe(13);
});

it('without pages nobody reloads one', () => {
  expect(names({ ...MINUTES, pages: 0 })).not.toContain('reload page');
});

it('mishaps are in the order of their times, within the run, and name what there is', () => {
  const plan = planOf(MINUTES);
  const times = plan.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBeLessThan(MINUTES.length);
  expect(plan.length).toBeGreaterThan(90);
  const servers = new Set(plan.flatMap(({ mishap }) => ('server' in mishap ? [mishap.server] : [])));
  expect([...servers].toSorted((a, b) => a - b)).toEqual([0, 1]);
});
