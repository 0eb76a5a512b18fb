import { describe, expect, it } from 'vitest';
import { HoldfastError, StopReconnecting, isHoldfastError } from '@holdfast/core';
import { isStopReconnecting, show } from '../src/errors.ts';

describe('errors', () => {
  it('carry a code, a message that begins with it, and what a handler needs', () => {
    const cause = new Error('underneath');
    const error = new HoldfastError('ENDED', 'it is over', { cause, closeCode: 4400, value: 5 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'HoldfastError',
      code: 'ENDED',
      message: 'ENDED: it is over',
      closeCode: 4400,
      value: 5,
    });
    expect(error.cause).toBe(cause);
    expect('cause' in new HoldfastError('ENDED', 'x')).toBe(false);
  });

  it('are known by brand, since two copies of a package defeat instanceof', () => {
    expect(isHoldfastError(new HoldfastError('ENDED', 'x'))).toBe(true);
    expect(isHoldfastError({ brand: 'holdfast.error' })).toBe(true);
    expect(isStopReconnecting(new StopReconnecting())).toBe(true);
    expect(isStopReconnecting({ brand: 'holdfast.stop' })).toBe(true);
    for (const other of [new Error('x'), undefined, null, 'x', {}, new StopReconnecting()])
      expect(isHoldfastError(other)).toBe(false);
    for (const other of [new Error('x'), undefined, null, 'x', {}, new HoldfastError('ENDED', 'x')])
      expect(isStopReconnecting(other)).toBe(false);
  });

  it('show values shortly, and never throw at it', () => {
    const hostile = {
      toString: () => {
        throw new Error('no');
      },
    };
    expect([5, 'a', undefined, null, true, NaN].map(show)).toEqual(['5', "'a'", 'undefined', 'null', 'true', 'NaN']);
    expect([hostile, [], () => {}, Object.create(null), Symbol('s')].map(show)).toEqual([
      '[object Object]',
      '[object Array]',
      'a function',
      '[object Object]',
      'Symbol(s)',
    ]);
    expect(show('x'.repeat(1_000)).length).toBeLessThan(70);
  });
});
