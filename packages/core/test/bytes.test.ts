import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { byteLength, utf8Length, viewOf } from '@holdfast/core';
import { copyOf, trimToBytes } from '../src/bytes.ts';

/** Any UTF-16, lone surrogates included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.array(fc.constantFrom('\ud83d', '\ude00', 'a', 'ä', '€')).map((units) => units.join('')),
);

describe('bytes', () => {
  it('T35: UTF-8 is counted as an encoder writes it, lone surrogates included', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it('the longest beginning that fits ends between two characters', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 20 }), (text, limit) => {
        const trimmed = trimToBytes(text, limit);
        expect(text.startsWith(trimmed)).toBe(true);
        expect(Buffer.byteLength(trimmed)).toBeLessThanOrEqual(limit);
        const after = text.codePointAt(trimmed.length);
        const next = after === undefined ? undefined : String.fromCodePoint(after);
        expect(next === undefined || Buffer.byteLength(trimmed + next) > limit).toBe(true);
        expect(
          trimmed === text || !/[\ud800-\udbff]$/.test(trimmed) || !/^[\udc00-\udfff]/.test(text.slice(trimmed.length)),
        ).toBe(true);
      }),
    );
  });

  it('T36: a view means its own bytes, never its buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), fc.nat(3), fc.nat(4), (bytes, start, length) => {
        const { buffer } = bytes;
        for (const given of [
          new Uint8Array(buffer, start, length),
          new DataView(buffer, start, length),
          new Int8Array(buffer, start, length),
          new Uint8ClampedArray(buffer, start, length),
        ]) {
          const view = viewOf(given)!;
          expect([...view]).toEqual([...bytes.subarray(start, start + length)]);
          expect(view.constructor).toBe(Uint8Array);
        }
      }),
    );
  });

  it('a Buffer becomes a plain Uint8Array over the same memory', () => {
    const buffer = Buffer.from('abc');
    const view = viewOf(buffer)!;
    expect(view.constructor).toBe(Uint8Array);
    buffer[0] = 120;
    expect(view[0]).toBe(120);
  });

  it('binary of another realm is binary', () => {
    const { buffer, view } = runInNewContext(
      '({ buffer: new Uint8Array([1, 2]).buffer, view: new Uint16Array([3]) })',
    ) as { buffer: ArrayBuffer; view: Uint16Array };
    expect([...viewOf(buffer)!]).toEqual([1, 2]);
    expect([...viewOf(view)!]).toEqual([3, 0]);
  });

  it.each([undefined, null, 'text', 5, {}, [1], new Date()])('%s is not binary', (value) => {
    expect(viewOf(value)).toBeUndefined();
  });

  it('T36: a copy shares nothing', () => {
    const original = new Uint8Array([1, 2, 3]).subarray(1);
    const copy = copyOf(original) as Uint8Array;
    original.fill(9);
    expect([...copy]).toEqual([2, 3]);
    expect(byteLength(copy)).toBe(2);
    expect(copyOf('text')).toBe('text');
  });
});
