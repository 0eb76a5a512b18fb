import { describe, expect, it } from 'vitest';
import { firstTerm, nextTerm } from '../src/proof-term.ts';

const TIMEOUT = 10_000;
const first = firstTerm(1_000, TIMEOUT);

describe('the term of a proof', () => {
  it('ends a timeout after it was asked for, and never if it is not owed', () => {
    expect(first.until).toBe(11_000);
    expect(firstTerm(Infinity, TIMEOUT).until).toBe(Infinity);
  });

  it('T6: run out, it gives pending input one turn, and then the proof is overdue', () => {
    const turn = nextTerm(first, 11_000, TIMEOUT)!;
    expect(turn).toEqual({ ...first, until: 11_000, hadTurn: true });
    expect(nextTerm(turn, 11_000, TIMEOUT)).toBeUndefined();
  });

  it.each([
    ['10 s late, which a timer may be', 21_000, { until: 21_000, isSecond: false, hadTurn: true }],
    ['later than that, it gets a second of 5 s', 21_001, { until: 26_001, isSecond: true, hadTurn: false }],
  ])('T6: %s', (_what, now, term) => {
    expect(nextTerm(first, now, TIMEOUT)).toMatchObject(term);
  });

  it('T6: also where the turn comes very late', () => {
    const turn = nextTerm(first, 11_000, TIMEOUT)!;
    expect(nextTerm(turn, 70_000, TIMEOUT)).toMatchObject({ until: 75_000, isSecond: true, hadTurn: false });
  });

  it('T6: the second is final, however late, but for its turn', () => {
    const second = nextTerm(first, 70_000, TIMEOUT)!;
    const turn = nextTerm(second, 700_000, TIMEOUT)!;
    expect(turn).toMatchObject({ until: 700_000, isSecond: true, hadTurn: true });
    expect(nextTerm(turn, 7_000_000, TIMEOUT)).toBeUndefined();
  });

  it('a short timeout makes a short second term, and a second of lateness is none', () => {
    const short = firstTerm(0, 100);
    expect(nextTerm(short, 1_100, 100)).toMatchObject({ isSecond: false });
    expect(nextTerm(short, 1_101, 100)).toMatchObject({ until: 1_201, isSecond: true });
  });
});
