// Does a message of the chaos run show that it was damaged?

import { expect, it } from 'vitest';
import { readPayload, writePayload } from '../payload.ts';

it('what was written is read, text and binary, small and large', () => {
  for (let n = 1; n <= 1_000; n++) expect(readPayload(writePayload(['node-1', n], n))).toEqual(['node-1', String(n)]);
  expect(writePayload(['a', 5], 5)).toBeInstanceOf(Uint8Array);
  expect(Buffer.byteLength(writePayload(['a', 97], 97))).toBeGreaterThan(20_000);
});

it('whatever was changed on its way is noticed', () => {
  const text = writePayload(['node-1', 48], 48) as string;
  for (let i = 0; i < text.length; i++) {
    const damaged = `${text.slice(0, i)}${text[i] === 'x' ? 'y' : 'x'}${text.slice(i + 1)}`;
    expect(readPayload(damaged)).not.toEqual(['node-1', '48']);
  }
  expect(readPayload('')).toBeUndefined();
});
