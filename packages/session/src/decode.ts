// What did the other end say, if it is anything at all?
//
// Whatever comes in, nothing here throws, and no number comes out that is not in its range. One function for each
// direction, since a client has no use for what only a server hears.

import type { Data } from '@holdfast/core';
import {
  MAX_AMOUNT,
  MAX_HOLDERS,
  MAX_SEQ,
  MAX_TAG,
  type FrameFromClient,
  type FrameFromEither,
  type FrameFromServer,
  type HelloFrame,
  type InvalidFrame,
  type LostFrame,
  type OpenFrame,
  type ReadyFrame,
  type ResumeFrame,
} from './frames.ts';

/** What a client hears. Binary `data` of a message lies in the memory of `data`. */
export function decodeFromServer(data: Data): FrameFromServer {
  if (typeof data !== 'string') return decodeBinary(data);
  switch (data.charAt(0)) {
    case 'q':
      return positionIn(data, 'pong');
    case 'H':
      return fieldsIn(data, hello);
    case 'Y':
      return fieldsIn(data, ready);
    case 'L':
      return fieldsIn(data, lost);
  }
  return decodeText(data);
}

/** What a server hears. Binary `data` of a message lies in the memory of `data`. */
export function decodeFromClient(data: Data): FrameFromClient {
  if (typeof data !== 'string') return decodeBinary(data);
  switch (data.charAt(0)) {
    case 'p':
      return positionIn(data, 'ping');
    case 'O':
      return fieldsIn(data, open);
    case 'R':
      return fieldsIn(data, resume);
  }
  return decodeText(data);
}

/** What either may say in text. */
function decodeText(data: string): FrameFromEither {
  switch (data.charAt(0)) {
    case 'd':
      return messageIn(data);
    case 'v':
      return data[1] === ':' ? { type: 'volatile', data: data.slice(2) } : malformed('v');
    case 'a':
      return positionIn(data, 'ack');
    case 'E':
      return data === 'E' ? { type: 'end' } : malformed('E');
  }
  return strange(data.charCodeAt(0));
}

function decodeBinary(frame: Uint8Array): FrameFromEither {
  const letter = frame[0]!; // undefined if there is none, and then it is no letter
  if (letter === 0x76) return { type: 'volatile', data: frame.subarray(1) };
  if (letter !== 0x64) return strange(letter);
  if (frame.length < 12) return malformed('d');
  const header = new DataView(frame.buffer, frame.byteOffset);
  const seq = header.getUint16(2) * 0x1_0000_0000 + header.getUint32(4);
  if (frame[1] || !seq) return malformed('d');
  return { type: 'message', seq, tag: header.getUint32(8), data: frame.subarray(12) };
}

function messageIn(text: string): FrameFromEither {
  const dot = text.indexOf('.');
  const colon = text.indexOf(':');
  const seq = numberIn(text, 1, dot);
  const tag = numberIn(text, dot + 1, colon);
  if (!(seq > 0 && seq <= MAX_SEQ && tag <= MAX_TAG)) return malformed('d');
  return { type: 'message', seq, tag, data: text.slice(colon + 1) };
}

function positionIn<Type extends string>(
  text: string,
  type: Type,
): { readonly type: Type; readonly received: number } | InvalidFrame {
  const received = numberIn(text, 1, text.length);
  return received <= MAX_SEQ ? { type, received } : malformed(text.charAt(0));
}

/** The number in base 36 between two places, or NaN: digits and small letters, and no zero before others. */
function numberIn(text: string, from: number, to: number): number {
  let value = from < to && (to === from + 1 || text[from] !== '0') ? 0 : NaN;
  // ten digits hold all 48 bits and an eleventh is too much already, so nobody can make this loop long
  for (let i = from; i < to && value <= MAX_SEQ; i++) {
    const unit = text.charCodeAt(i);
    value = value * 36 + (unit > 0x2f && unit < 0x3a ? unit - 0x30 : unit > 0x60 && unit < 0x7b ? unit - 0x57 : NaN);
  }
  return value;
}

/** A frame whose first letter means nothing here. Capitals are kept for additions. */
function strange(letter: number): FrameFromEither {
  return letter > 0x40 && letter < 0x5b ? { type: 'unknown' } : malformed('letter');
}

function malformed(what: string): InvalidFrame {
  return { type: 'invalid', why: `malformed ${what}` };
}

// ---- JSON, in the handshake alone. Fields are read one by one; what is not asked for is not looked at.

type Fields = Readonly<Record<string, unknown>>;

const hello = (fields: Fields): HelloFrame => ({
  type: 'hello',
  version: amount(fields, 'v'),
  ttl: amount(fields, 'ttl'),
  maxMessage: amount(fields, 'max'),
  heartbeat: amount(fields, 'hb'),
  window: amount(fields, 'win'),
});

const ready = (fields: Fields): ReadyFrame => ({
  type: 'ready',
  sid: word(fields, 'sid'),
  token: 'tok' in fields ? word(fields, 'tok') : undefined,
  received: integer(fields, 'rx', 0, MAX_SEQ),
  stored: integer(fields, 'tx', 0, MAX_SEQ),
});

const lost = (fields: Fields): LostFrame => ({ type: 'lost', reason: word(fields, 'reason') });

const open = (fields: Fields): OpenFrame => ({
  type: 'open',
  version: amount(fields, 'v'),
  attempt: integer(fields, 'att', 1, MAX_SEQ),
  holders: holdersIn(fields),
  window: amount(fields, 'win'),
  auth: fields['auth'],
});

const resume = (fields: Fields): ResumeFrame => ({
  type: 'resume',
  version: amount(fields, 'v'),
  attempt: integer(fields, 'att', 1, MAX_SEQ),
  holders: holdersIn(fields),
  window: amount(fields, 'win'),
  sid: word(fields, 'sid'),
  token: word(fields, 'tok'),
  received: integer(fields, 'rx', 0, MAX_SEQ),
  tag: integer(fields, 'tag', 0, MAX_TAG),
  acked: integer(fields, 'acked', 0, MAX_SEQ),
  sent: integer(fields, 'sent', 0, MAX_SEQ),
  auth: fields['auth'],
});

/** `read` throws the name of the first field that is not as it should be; this is not on the way of messages. */
function fieldsIn<Frame>(text: string, read: (fields: Fields) => Frame): Frame | InvalidFrame {
  let fields: unknown; // stays undefined if it is no JSON, and then lacks the first field as much as a null does
  try {
    fields = JSON.parse(text.slice(1));
  } catch {}
  try {
    return read(Object(fields) as Fields);
  } catch (fault) {
    return malformed(`${text.charAt(0)}.${(fault as Error).message}`);
  }
}

const amount = (fields: Fields, name: string): number => integer(fields, name, 1, MAX_AMOUNT);

function integer(fields: Fields, name: string, min: number, max: number): number {
  const value = fields[name] as number;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(name);
}

function holdersIn(fields: Fields): readonly number[] {
  const value = fields['by'];
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_HOLDERS) throw new Error('by');
  return value.map((_, place) => integer(Object(value) as Fields, String(place), 0, MAX_TAG));
}

/** 1 to 128 letters, digits, `-` and `_`: nothing that means something in a key of a store, or in a log. */
function word(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && /^[\w-]{1,128}$/.test(value)) return value;
  throw new Error(name);
}
