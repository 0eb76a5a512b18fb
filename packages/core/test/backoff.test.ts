import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { backoffDelay, longestDelay, type Backoff } from '../src/backoff.ts';

const DEFAULT: Backoff = { initialDelay: 2_500, maxDelay: 30_000, factor: 2, jitter: 'full' };
const NEARLY_ONE = 1 - Number.EPSILON;

describe('backoff', () => {
  it.each([
    [0, 2_500],
    [1, 5_000],
    [2, 10_000],
    [3, 20_000],
    [4, 30_000],
    [5, 30_000],
    [10_000, 30_000],
  ])('T17: the wait before redial %i is a random part of %i ms', (n, most) => {
    expect(backoffDelay(DEFAULT, n, 0)).toBe(0);
    expect(backoffDelay(DEFAULT, n, 0.5)).toBe(most / 2);
    expect(backoffDelay(DEFAULT, n, NEARLY_ONE)).toBeCloseTo(most);
    expect(backoffDelay({ ...DEFAULT, jitter: 'none' }, n, 0)).toBe(most);
  });

  it('the longest wait keeps its jitter', () => {
    expect(longestDelay(DEFAULT, 0.25)).toBe(7_500);
    expect(longestDelay({ ...DEFAULT, jitter: 'none' }, 0.25)).toBe(30_000);
  });

  it('T18: is a number between nothing and the cap, for every setting, over 10 000 attempts', () => {
    fc.assert(
      fc.property(
        fc.record({
          initialDelay: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e9, noNaN: true })),
          maxDelay: fc.double({ min: 0, max: 1e9, noNaN: true }),
          factor: fc.oneof(fc.constant(1), fc.constant(Infinity), fc.double({ min: 1, max: 1e6, noNaN: true })),
          jitter: fc.constantFrom<Backoff['jitter']>('full', 'none'),
        }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.double({ min: 0, max: NEARLY_ONE, noNaN: true }),
        (backoff, n, random) => {
          const delay = backoffDelay(backoff, n, random);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(backoff.maxDelay);
        },
      ),
    );
  });

  it('T17: never grows shorter with the attempts', () => {
    for (let n = 1; n < 10_000; n++) {
      const [before, now] = [backoffDelay(DEFAULT, n - 1, 0.5), backoffDelay(DEFAULT, n, 0.5)];
      if (now < before) throw new Error(`${now} after ${before} at ${n}`);
    }
    expect(backoffDelay(DEFAULT, 9_999, 0.5)).toBe(15_000);
  });
});
