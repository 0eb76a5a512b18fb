import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { isClosable, retryAfterReason, trimReason } from '@holdfast/core';
import { retryAfterOf } from '../src/close-codes.ts';

// What each code and status means is in retry.test.ts, row by row.

describe('close codes', () => {
  it.each([1000, 3000, 4000, 4999])('%i may be given to close()', (code) => expect(isClosable(code)).toBe(true));

  it.each([999, 1001, 1005, 1006, 1015, 2999, 5000, 3000.5, NaN, Infinity, '1000', null, undefined])(
    '%s may not',
    (code) => expect(isClosable(code)).toBe(false),
  );

  it('RFC 6455 5.5: a reason fits into 123 bytes, whatever its characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (reason) => {
        const trimmed = trimReason(reason);
        expect(Buffer.byteLength(trimmed)).toBeLessThanOrEqual(123);
        expect(reason.startsWith(trimmed)).toBe(true);
        expect(trimmed === reason || Buffer.byteLength(trimmed) >= 120).toBe(true);
      }),
    );
  });

  it('a slot that a server names is read back to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 3_600_000 }), fc.constantFrom(1012, 1013, 4429), (ms, code) => {
        const close = { code, reason: retryAfterReason(ms), wasClean: true };
        expect(retryAfterOf(close, 0.9)).toBe(Math.max(0, ms));
      }),
    );
  });
});
