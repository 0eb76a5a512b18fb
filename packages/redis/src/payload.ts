// What does a message look like on its way to Redis and back?

import type { Data } from '@holdfast/core';
import type { Entry } from '@holdfast/server';

/** The kind and the bytes. Binary is copied: the command is written later, and the memory is the caller's again by then. */
export const toFields = (data: Data): [kind: 't' | 'b', bytes: string | Buffer] =>
  typeof data === 'string' ? ['t', data] : ['b', Buffer.from(data)];

/** An entry of a stream, as Redis answers it where texts are asked for as buffers. */
export function toEntry(reply: unknown): Entry {
  const [id, [kind, bytes]] = reply as [id: Buffer, fields: [kind: Buffer, bytes: Buffer]];
  const [seq, tag] = id.toString('latin1').split('-');
  const data =
    kind.toString('latin1') === 't'
      ? bytes.toString('utf8')
      : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { seq: Number(seq), tag: Number(tag), data };
}
