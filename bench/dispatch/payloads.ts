// What is sent and received?

/** One kind of message: the same 64 in turn, so that none is a constant to the compiler. */
export interface Payload {
  readonly name: 'text' | 'json' | 'binary';
  /** As they come from the wire. */
  readonly frames: readonly (string | ArrayBuffer)[];
  /** As the application sends them: strings, what is to become JSON, views. */
  readonly values: readonly unknown[];
  /** What a listener does with a frame. */
  readonly readFrame: (frame: unknown) => number;
  /** What a listener does with a value that a codec has made of a frame already. */
  readonly readValue: (value: unknown) => number;
}

export const COUNT = 64;
/** In one direction, in one round. */
export const MESSAGES = 200_000;

interface Price {
  readonly symbol: string;
  readonly price: number;
  readonly at: number;
}

const prices: readonly Price[] = Array.from({ length: COUNT }, (_, i) => ({
  symbol: `ACME${i}`,
  price: 100 + i / 4,
  at: 1_700_000_000_000 + i,
}));
/** By way of bytes, like what a platform hands out: a string put together from pieces is slower to read. */
const texts = prices.map(({ symbol, price }) => Buffer.from(`${symbol} is at ${price} today`).toString());
const buffers = texts.map((text) => new Uint8Array(Buffer.from(text)).buffer);

export const PAYLOADS: readonly Payload[] = [
  { name: 'text', frames: texts, values: texts, readFrame: lengthOf, readValue: lengthOf },
  {
    name: 'json',
    frames: prices.map((price) => JSON.stringify(price)),
    values: prices,
    readFrame: (frame) => (JSON.parse(frame as string) as Price).symbol.length,
    readValue: (value) => (value as Price).symbol.length,
  },
  {
    name: 'binary',
    frames: buffers,
    values: buffers.map((buffer) => new Uint8Array(buffer)),
    readFrame: bytesOf,
    readValue: bytesOf,
  },
];

function lengthOf(text: unknown): number {
  return (text as string).length;
}

function bytesOf(binary: unknown): number {
  return (binary as ArrayBuffer | Uint8Array).byteLength;
}
