// When is the peer asked for a proof?

import { withAccessors } from './accessors.ts';

/**
 * At least once, a proof is asked for when a quarter of the queue's bounds is owed one, and this long after the first
 * message that is. It costs a ping, so it is put off until at least so many messages, or bytes, or milliseconds have
 * passed since the last: a server that allows ten pings a second and forgives a burst is not offended.
 */
const SHARE = 4;
const PROOF_DELAY = 1_000;
const WORTH = { messages: 64, bytes: 131_072, ms: 125 };

export interface ProofRequests {
  /** When one is to be made; `Infinity` while nothing waits for it. */
  readonly at: number;
  /** One more message, of so many bytes, was handed over; so many are behind the last ping. */
  owe(unasked: number, bytes: number): void;
  /** Now, if it `isNeeded`. */
  ask(isNeeded: boolean): void;
  /** A ping was written: it asks for everything before it. */
  pingWritten(): void;
  /** The socket is gone, and its questions with it. */
  reset(): void;
}

export interface ProofRequestsParts {
  readonly bounds: { readonly maxMessages: number; readonly maxBytes: number };
  now(): number;
  /** Writes a ping; perhaps later, for while a step runs what is fed waits its turn. */
  ping(): void;
  /** `at` has changed. */
  rearm(): void;
}

export function createProofRequests({ bounds, now, ping, rearm }: ProofRequestsParts): ProofRequests {
  let at = Infinity;
  let lastPing = -Infinity;
  let bytes = 0;
  let isAsking = false; // a ping is wanted and not written yet

  function ask(isNeeded: boolean): void {
    at = Infinity;
    if (!isAsking && isNeeded) {
      isAsking = true;
      ping();
    }
    rearm();
  }

  function putOff(until: number): void {
    if (until >= at) return;
    at = until;
    rearm();
  }

  function beginAnew(pingedAt: number): void {
    isAsking = false;
    lastPing = pingedAt;
    bytes = 0;
    at = Infinity;
  }

  return withAccessors({
    get at() {
      return at;
    },
    owe(unasked, more) {
      bytes += more;
      if (isAsking) return; // that ping will be behind it
      if (at === Infinity) putOff(now() + PROOF_DELAY);
      if (unasked < bounds.maxMessages / SHARE && bytes < bounds.maxBytes / SHARE) return;
      const isWorthIt = unasked >= WORTH.messages || bytes >= WORTH.bytes;
      if (isWorthIt || now() - lastPing >= WORTH.ms) ask(true);
      else putOff(lastPing + WORTH.ms);
    },
    ask,
    pingWritten: () => beginAnew(now()),
    reset: () => beginAnew(-Infinity),
  });
}
