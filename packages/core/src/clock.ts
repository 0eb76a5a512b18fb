// What time is it, when the wall clock may be set back and timers may be late?

/** What a clock is made of. The functions are called late, so that fake timers and odd hosts work. */
export interface ClockParts {
  /** Milliseconds, by default of the wall clock: it is the only one that counts sleep everywhere. */
  read(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** `now` and `wake` of an adapter, made from a wall clock and timers. */
export interface Clock {
  /** Milliseconds elapsed; counts sleep, never decreases. */
  now(): number;
  /** Calls `wakeUp` once, at or after `at`, never inside this call. Returns a cancel that may be called twice. */
  wake(at: number, wakeUp: () => void): () => void;
}

/** Timers of every platform hold a signed 32-bit number; a longer one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * A clock that never decreases. A wall clock that is set back is absorbed by an offset, so that time goes on from where
 * it was; one that is set forward looks like a sleep, and whoever holds a deadline has to tell the two apart by asking
 * the network. A timer that fires is evidence too: at least its delay has passed, whatever the wall clock says now.
 */
export function createClock(parts: ClockParts): Clock {
  let offset = 0;
  let last = parts.read();

  function now(): number {
    const reading = parts.read() + offset;
    if (reading < last) offset += last - reading;
    else last = reading;
    return last;
  }

  function wake(at: number, wakeUp: () => void): () => void {
    const delay = Math.min(LONGEST_TIMER, Math.max(0, Math.ceil(at - now())));
    const earliest = last + delay;
    const timer = parts.setTimeout(() => {
      if (now() < earliest) {
        offset += earliest - last;
        last = earliest;
      }
      wakeUp();
    }, delay);
    return () => parts.clearTimeout(timer);
  }

  return { now, wake };
}
