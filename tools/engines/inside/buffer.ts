// What of Node's Buffer does the fake host use, where there is no Node?

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Puts `Buffer.byteLength` and `Buffer.from(…).toString('base64')` where there is no `Buffer`. */
export function provideBuffer(): void {
  const place = globalThis as { Buffer?: unknown };
  place.Buffer ??= {
    byteLength: (text: string) => encodeURIComponent(text).replace(/%../g, 'x').length,
    from: (data: ArrayBuffer) => ({ toString: () => toBase64(new Uint8Array(data)) }),
  };
}

/** RFC 4648 §4. Written out, so that what the adapter decodes was not encoded by the library that it decodes with. */
function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [first = 0, second = 0, third = 0] = Array.from(bytes.subarray(i, i + 3));
    const bits = (first << 16) | (second << 8) | third;
    const digits = [18, 12, 6, 0].map((shift) => DIGITS.charAt((bits >> shift) & 63)).join('');
    const used = Math.min(3, bytes.length - i) + 1;
    text += digits.slice(0, used) + '='.repeat(4 - used);
  }
  return text;
}
