// How does a Blob keep its place among the messages, when it has to be read first?

import { byteLength, copyOf, type Data } from './bytes.ts';

/** A Blob, as far as it is used; its type is not named, since not every runtime has one. */
export interface BlobLike {
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface Outbox {
  /** Hands over at once, unless a Blob that went ahead is still being read. */
  put(frame: Data | BlobLike): void;
  /** Does it when everything put so far has been handed over: at once, as a rule. */
  after(act: () => void): void;
  /** Bytes that wait for a Blob. */
  readonly bytes: number;
}

export function createOutbox(handOver: (frame: Data) => void, unreadable: (cause: unknown) => void): Outbox {
  let line: Promise<void> | undefined;
  let bytes = 0;

  function join(size: number, act: () => void | Promise<void>): void {
    bytes += size;
    const turn: Promise<void> = (line ?? Promise.resolve())
      .then(act)
      .then(undefined, unreadable)
      .then(() => {
        bytes -= size;
        if (line === turn) line = undefined;
      });
    line = turn;
  }

  return {
    get bytes() {
      return bytes;
    },
    put(frame) {
      if (isBlob(frame)) {
        join(frame.size, () => frame.arrayBuffer().then((buffer) => handOver(new Uint8Array(buffer))));
      } else if (line) {
        const own = copyOf(frame);
        join(sizeOf(frame), () => handOver(own));
      } else handOver(frame);
    },
    after(act) {
      if (line) join(0, act);
      else act();
    },
  };
}

export function isBlob(value: unknown): value is BlobLike {
  return /^\[object (?:Blob|File)\]$/.test(Object.prototype.toString.call(value));
}

/** What `bufferedAmount` counts. */
export function sizeOf(frame: Data | BlobLike): number {
  return isBlob(frame) ? frame.size : byteLength(frame);
}
