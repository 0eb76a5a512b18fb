// What is a message on this host?
//
// On most it is `{ data }`, a string or an `ArrayBuffer`. Alipay wraps each event once more, `{ data: { data, isBuffer } }`,
// and has binary as base64, in both directions.

import { decode, encode } from 'base64-arraybuffer';
import { viewOf, type Data } from '@holdfast/core';
import { isObject, type SendOptions } from './task.ts';

/** True for an event of Alipay's. A message that is a string is never taken apart, whatever is written in it. */
export function isWrapped(event: unknown): boolean {
  return isObject(event) && isObject(event['data']) && viewOf(event['data']) === undefined;
}

/** An event without its wrapping. */
export function contentOf(event: unknown): Record<string, unknown> {
  if (!isObject(event)) return {};
  return isWrapped(event) ? (event['data'] as Record<string, unknown>) : event;
}

/** A string, or exactly the bytes that the host gave, in memory of their own; `undefined` if it is neither. */
export function fromHost(event: unknown): Data | undefined {
  const { data, isBuffer } = contentOf(event);
  if (typeof data === 'string') return isBuffer === true ? new Uint8Array(decode(data)) : data;
  const view = viewOf(data);
  return view && view.byteLength !== view.buffer.byteLength ? view.slice() : view;
}

/** A copy: hosts take no views, and read when they like. */
export function toHost(data: Data, wrapped: boolean): Pick<SendOptions, 'data' | 'isBuffer'> {
  if (typeof data === 'string') return { data };
  const buffer = data.slice().buffer as ArrayBuffer;
  return wrapped ? { data: encode(buffer), isBuffer: true } : { data: buffer };
}
