// How many bytes is it, and which bytes exactly?

/** What can be sent without a codec. */
export type Data = string | Uint8Array;

/** What callers may hand in as binary: any view, or a whole buffer. A view means its own bytes, never its buffer's. */
export type Binary = ArrayBufferView | ArrayBuffer;

/** Bytes of `text` in UTF-8, counted as an encoder would write it: a lone surrogate becomes U+FFFD, three bytes. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isSurrogatePair(unit, text.charCodeAt(i + 1))) {
      bytes += 2; // four bytes for two units
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/** The longest beginning of `text` that fits in `limit` bytes of UTF-8 and ends between two characters. */
export function trimToBytes(text: string, limit: number): string {
  let bytes = 0;
  for (let i = 0; i < text.length;) {
    const unit = text.charCodeAt(i);
    const pair = isSurrogatePair(unit, text.charCodeAt(i + 1));
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : pair ? 4 : 3;
    if (bytes > limit) return text.slice(0, i);
    i += pair ? 2 : 1;
  }
  return text;
}

export function byteLength(data: Data): number {
  return typeof data === 'string' ? utf8Length(data) : data.byteLength;
}

/** A `Uint8Array` over exactly the bytes of `data`, sharing its memory; `undefined` if it is not binary. */
export function viewOf(data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) {
    return data instanceof Uint8Array && data.constructor === Uint8Array
      ? data
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  // by tag and not by instanceof: in a mini-program the buffer comes from another realm
  return Object.prototype.toString.call(data) === '[object ArrayBuffer]'
    ? new Uint8Array(data as ArrayBuffer)
    : undefined;
}

/** The same bytes in memory of our own, so that what the caller does to his changes nothing. */
export function copyOf(data: Data): Data {
  return typeof data === 'string' ? data : data.slice();
}

/** Whether both are the same text or the same bytes. For what is rare: it makes strings of bytes. */
export function isSame(one: Data, other: Data): boolean {
  return typeof one === typeof other && one.length === other.length && String(one) === String(other);
}

function isSurrogatePair(first: number, second: number): boolean {
  return first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000;
}
