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
export function encodeOpen({ attempt, window, auth }: Said<OpenFrame>): string {
  return `O${JSON.stringify({ v: VERSION, att: attempt, win: window, auth })}`;
}

/** Throws what `JSON.stringify` throws if it has no form for `auth`. */
export function encodeResume(claim: Said<ResumeFrame>): string {
  const { attempt, window, sid, token, received, tag, acked, sent, auth } = claim;
  const fields = { v: VERSION, att: attempt, win: window, sid, tok: token, rx: received, tag, acked, sent, auth };
  return `R${JSON.stringify(fields)}`;
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
  const frame = new Uint8Array(12 + data.length);
  const header = new DataView(frame.buffer);
  frame[0] = 0x64;
  // the two halves of 48 bits: a DataView drops the fraction of a number, and all above the bits that it writes
  header.setUint16(2, seq / 0x1_0000_0000);
  header.setUint32(4, seq);
  header.setUint32(8, tag);
  frame.set(data, 12);
  return frame;
}

export function encodeVolatile(data: Data): Data {
  if (typeof data === 'string') return `v:${data}`;
  const frame = new Uint8Array(1 + data.length);
  frame[0] = 0x76;
  frame.set(data, 1);
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
