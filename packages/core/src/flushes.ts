// Who waits for a proof, and how far has each of them come?

import type { HoldfastError } from './errors.ts';

/** Somebody waits for a proof: first for the queue to be handed over up to a message, then for the proof of it. */
type Flush = { resolve(): void; reject(error: HoldfastError): void; readonly upTo: number } & (
  { stage: 'queued' } | { stage: 'asked'; mark: number; deadline: number }
);

export interface Flushes {
  readonly length: number;
  /** When the first of those who have asked gives up; `Infinity` if none does. */
  readonly deadline: number;
  /** Resolves once everything up to this message of the queue, and all before it, is proven. */
  add(upTo: number): Promise<void>;
  /** Who waits for none of the queue's messages from `next` on comes to this: asks (true), or is answered. */
  serve(next: number, serve: (flush: Answer) => { mark: number; deadline: number } | undefined): boolean;
  /** Everything up to `mark` is proven. */
  proven(mark: number): void;
  /** Nobody will prove it any more; of those who asked and wait no longer than until `now`. */
  fail(error: () => HoldfastError, now?: number): void;
  /** Those who asked wait for the next socket. */
  carryOver(): void;
  /** Nobody waits any more. */
  end(error: () => HoldfastError): void;
}

export interface Answer {
  resolve(): void;
  reject(error: HoldfastError): void;
}

export function createFlushes(): Flushes {
  let flushes: Flush[] = [];

  function settle(isOver: (flush: Flush) => boolean, how: (flush: Flush) => void): void {
    const over = flushes.filter(isOver);
    if (over.length === 0) return;
    flushes = flushes.filter((flush) => over.indexOf(flush) < 0);
    over.forEach(how);
  }

  return {
    get length() {
      return flushes.length;
    },
    get deadline() {
      return flushes.reduce((at, flush) => (flush.stage === 'asked' ? Math.min(at, flush.deadline) : at), Infinity);
    },
    add: (upTo) =>
      new Promise((resolve, reject) => {
        flushes.push({ resolve, reject, stage: 'queued', upTo });
      }),
    serve(next, serve) {
      let asks = false;
      flushes = flushes.filter((flush) => {
        if (flush.stage === 'asked' || next <= flush.upTo) return true;
        const question = serve(flush);
        if (!question) return false;
        Object.assign(flush, question, { stage: 'asked' });
        return (asks = true);
      });
      return asks;
    },
    proven: (mark) =>
      settle(
        (flush) => flush.stage === 'asked' && flush.mark <= mark,
        (flush) => flush.resolve(),
      ),
    fail: (error, now = Infinity) =>
      settle(
        (flush) => flush.stage === 'asked' && flush.deadline <= now,
        (flush) => flush.reject(error()),
      ),
    carryOver: () => flushes.forEach((flush) => (flush.stage = 'queued')),
    end: (error) => flushes.splice(0).forEach((flush) => flush.reject(error())),
  };
}
