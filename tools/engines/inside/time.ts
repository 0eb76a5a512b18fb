// What time is it in an engine that has no timers, or whose timers would make us wait?
//
// Time stands still until it is told to pass. Then whatever comes due is called in order, and after each call the
// promises have their turn, which is all that these scenarios need of an event loop.

export interface Time {
  /** Timers that are armed. */
  readonly timers: number;
  /** Lets `ms` milliseconds pass, timer by timer. */
  pass(ms: number): Promise<void>;
  /** The wall clock goes on by `ms`, and no timer runs: a device that slept. */
  jump(ms: number): void;
  /** Gives back what was there before. */
  uninstall(): void;
}

interface Timer {
  at: number;
  readonly run: () => void;
}

interface Place {
  setTimeout?: unknown;
  clearTimeout?: unknown;
}

/** More turns than any promise chain here is long. */
const TURNS = 24;

/** Puts `setTimeout`, `clearTimeout` and `Date.now` of this time in the place of the engine's. */
export function installTime(): Time {
  const timers = new Map<number, Timer>();
  const place = globalThis as Place;
  const before = { setTimeout: place.setTimeout, clearTimeout: place.clearTimeout, now: Date.now };
  let now = 1_700_000_000_000; // some day of 2023
  let handles = 0;

  place.setTimeout = (run: () => void, ms = 0): number => {
    timers.set(++handles, { at: now + Math.max(1, ms), run });
    return handles;
  };
  place.clearTimeout = (handle: number): void => void timers.delete(handle);
  Date.now = () => now;

  /** Of two that are due at once, the one that was armed first. */
  function nextUntil(end: number): readonly [number, Timer] | undefined {
    let next: readonly [number, Timer] | undefined;
    timers.forEach((timer, handle) => {
      if (timer.at <= end && (!next || timer.at < next[1].at)) next = [handle, timer];
    });
    return next;
  }

  return {
    get timers() {
      return timers.size;
    },
    async pass(ms) {
      const end = now + ms;
      await settle();
      for (let next = nextUntil(end); next; next = nextUntil(end)) {
        const [handle, { at, run }] = next;
        timers.delete(handle);
        now = Math.max(now, at);
        run();
        await settle();
      }
      now = end;
    },
    jump(ms) {
      now += ms;
      timers.forEach((timer) => (timer.at += ms)); // a delay counts what the device was awake
    },
    uninstall() {
      place.setTimeout = before.setTimeout;
      place.clearTimeout = before.clearTimeout;
      Date.now = before.now;
    },
  };
}

async function settle(): Promise<void> {
  for (let i = 0; i < TURNS; i++) await Promise.resolve();
}
