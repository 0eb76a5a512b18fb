// When is the server told what has arrived?
//
// At the first of: so many messages, a quarter of the bytes that the server holds for us, so many milliseconds after the
// first; and with every ping. Nothing waits for a timer while messages come quickly, so timing caps no throughput.

const MESSAGES = 32;
const DELAY = 250;
const SHARE = 4;

export interface Acks {
  /** When one is due; `Infinity` while nothing is owed. */
  readonly dueAt: number;
  /** A message of this size has come. True: tell it now. */
  owe(size: number, now: () => number): boolean;
  /** It was told, or its socket is gone. */
  settle(): void;
}

/** `window`: bytes that the server holds, at most. */
export function createAcks(window: () => number): Acks {
  let messages = 0;
  let bytes = 0;
  let dueAt = Infinity;
  return {
    get dueAt() {
      return dueAt;
    },
    owe(size, now) {
      bytes += size;
      if (messages++ === 0) dueAt = now() + DELAY;
      return messages >= MESSAGES || bytes * SHARE >= window();
    },
    settle() {
      messages = bytes = 0;
      dueAt = Infinity;
    },
  };
}
