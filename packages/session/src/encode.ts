// How does a frame become text or bytes?
//
// Nothing is checked here: numbers come from the sender's own counters, and this is on the way of each message.

import type { Data } from '@holdfast/core';
import {
  VERSION,
  type HelloFrame,
  type LostFrame,
  type OpenFrame,
  type ReadyFrame,
  type ResumeFrame,
} from './frames.ts';

/** What is to be said; the letter and the version come by themselves. */
type Said<Frame> = Omit<Frame, 'type' | 'version'>;

/** The orderly end, as it is. */
export const END = 'E';

export function encodeHello({ ttl, maxMessage, heartbeat, window }: Said<HelloFrame>): string {
  return `H${JSON.stringify({ v: VERSION, ttl, max: maxMessage, hb: heartbeat, win: window })}`;
}

/** Throws what `JSON.stringify` throws if it has no form for `auth`. */
export function encodeOpen(claim: Said<OpenFrame>): string {
  return `O${JSON.stringify(introduction(claim))}`;
}

/** Throws what `JSON.stringify` throws if it has no form for `auth`. */
export function encodeResume(claim: Said<ResumeFrame>): string {
  const { sid, token, received, tag, acked, sent } = claim;
  const memory = { sid, tok: token, rx: received, tag, acked, sent };
  return `R${JSON.stringify(Object.assign(introduction(claim), memory))}`;
}

/** Who asks. */
function introduction({ attempt, holders, window, auth }: Said<OpenFrame>): object {
  return { v: VERSION, att: attempt, by: holders, win: window, auth };
}

export function encodeReady({ sid, token, received, stored }: Said<ReadyFrame>): string {
  return `Y${JSON.stringify({ sid, tok: token, rx: received, tx: stored })}`;
}

export function encodeLost({ reason }: Said<LostFrame>): string {
  return `L${JSON.stringify({ reason })}`;
}

/** `seq` from 1 to `MAX_SEQ`, `tag` from 0 to `MAX_TAG`. The result is the caller's: nothing of it is shared with `data`. */
export function encodeMessage(seq: number, tag: number, data: Data): Data {
  if (typeof data === 'string') return `d${seq.toString(36)}.${tag.toString(36)}:${data}`;
  const frame = binary(0x64, 12, data);
  const header = new DataView(frame.buffer);
  // the two halves of 48 bits: a DataView drops the fraction of a number, and all above the bits that it writes
  header.setUint16(2, seq / 0x1_0000_0000);
  header.setUint32(4, seq);
  header.setUint32(8, tag);
  return frame;
}

export function encodeVolatile(data: Data): Data {
  return typeof data === 'string' ? `v:${data}` : binary(0x76, 1, data);
}

/** Room for a header that begins with this letter, and the data behind it. */
function binary(letter: number, header: number, data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(header + data.length);
  frame[0] = letter;
  frame.set(data, header);
  return frame;
}

export function encodeAck(received: number): string {
  return `a${received.toString(36)}`;
}

export function encodePing(received: number): string {
  return `p${received.toString(36)}`;
}

export function encodePong(received: number): string {
  return `q${received.toString(36)}`;
}
