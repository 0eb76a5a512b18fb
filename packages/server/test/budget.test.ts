// How much may a peer send? (counters by themselves)
import { describe, expect, test } from 'vitest';
import { createBucket, createBudget } from '../src/budget.ts';

describe('a bucket', () => {
  test('gives its burst at once, then what time brings back, never more than the burst', () => {
    const bucket = createBucket({ perSecond: 10, burst: 3 });
    expect([1, 1, 1, 1].map((amount) => bucket.take(amount))).toEqual([true, true, true, false]);
    bucket.refill(200); // pays off the debt of one, and one more
    expect([1, 1].map((amount) => bucket.take(amount))).toEqual([true, false]);
    bucket.refill(3_600_000);
    expect([1, 1, 1, 1].map((amount) => bucket.take(amount))).toEqual([true, true, true, false]);
  });

  test('an amount above the burst is a debt to be paid off', () => {
    const bucket = createBucket({ perSecond: 10, burst: 3 });
    expect(bucket.take(13)).toBe(false);
    bucket.refill(900);
    expect(bucket.isOverdrawn).toBe(true);
    bucket.refill(100);
    expect(bucket.isOverdrawn).toBe(false);
  });
});

describe('a budget', () => {
  const limits = {
    messages: { perSecond: 10, burst: 10 },
    bytes: { perSecond: 100, burst: 100 },
    controlFrames: { perSecond: 1, burst: 2 },
    patience: 3_000,
    retryAfter: 1_000,
  };

  test('messages, their bytes and control frames are counted apart', () => {
    expect(createBudget(limits).message(101)).toBe(false);
    const many = createBudget(limits);
    expect(Array.from({ length: 11 }, () => many.message(0)).lastIndexOf(true)).toBe(9);
    const pings = createBudget(limits);
    expect([1, 2, 3].map(() => pings.controlFrame())).toEqual([true, true, false]);
    expect(pings.message(1)).toBe(true);
  });

  test('one flood is over for as long as its debt, and forgiven then', () => {
    const budget = createBudget(limits);
    for (let i = 0; i < 25; i++) budget.message(1); // fifteen too many
    expect(budget.beat(1_000)).toBe('over');
    expect(budget.beat(1_000)).toBe('within');
    expect(budget.beat(1_000)).toBe('within');
  });

  test('a flood that goes on persists after our patience, and not before', () => {
    const budget = createBudget(limits);
    const verdicts = Array.from({ length: 5 }, () => {
      for (let i = 0; i < 100; i++) budget.message(1);
      return budget.beat(1_000);
    });
    expect(verdicts).toEqual(['over', 'over', 'over', 'persists', 'persists']);
  });

  test('a peer that goes over now and then never persists', () => {
    const budget = createBudget(limits);
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 15; i++) budget.message(1);
      expect(budget.beat(1_000)).toBe('within');
      expect(budget.beat(1_000)).toBe('within');
    }
  });
});
