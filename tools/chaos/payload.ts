// What does a message of the chaos run look like? A few words, and a filler by which damage would show.

import type { Data } from '@holdfast/core';

/** Each of so many is binary, and each of so many is large. */
const BINARY = 5;
const LARGE = 97;
const LARGE_BYTES = 20_000;

/** Letters of one, two, three and four bytes. */
const ALPHABET = ['a', 'B', '7', ' ', 'é', '漢', '😀'];

/** The `nth` message, with these words in front; they hold neither blanks nor bars. */
export function writePayload(words: readonly (string | number)[], nth: number): string | Uint8Array {
  const head = words.join(' ');
  const text = `${head}|${fillerOf(head, nth % LARGE === 0 ? LARGE_BYTES : nth % 50)}`;
  return nth % BINARY === 0 ? new TextEncoder().encode(text) : text;
}

/** The words; `undefined` if it is not what was written. */
export function readPayload(data: Data): readonly string[] | undefined {
  const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
  const bar = text.indexOf('|');
  const head = text.slice(0, bar);
  const filler = text.slice(bar + 1);
  return bar > 0 && filler === fillerOf(head, lengthOf(filler)) ? head.split(' ') : undefined;
}

/** In letters of the alphabet, some of which are two for JavaScript. */
const lengthOf = (filler: string): number => Array.from(filler).length;

function fillerOf(head: string, length: number): string {
  let state = length;
  for (let i = 0; i < head.length; i++) state = (state * 31 + head.charCodeAt(i)) >>> 0;
  let filler = '';
  for (let i = 0; i < length; i++) filler += ALPHABET[(state + i * i) % ALPHABET.length];
  return filler;
}
