import { describe, expect, it } from 'vitest';
import { createClock } from '@holdfast/core';

/** A wall clock that can be set, and timers that fire when told. */
function createWall() {
  let wall = 1_000_000;
  const timers = new Map<number, { fn: () => void; ms: number }>();
  let handles = 0;
  const clock = createClock({
    read: () => wall,
    setTimeout: (fn, ms) => (timers.set(++handles, { fn, ms }), handles),
    clearTimeout: (handle) => void timers.delete(handle as number),
  });
  return {
    clock,
    timers,
    set: (ms: number) => void (wall += ms),
    fire(): void {
      const [[handle, { fn }]] = [...timers] as [[number, { fn: () => void; ms: number }]];
      timers.delete(handle);
      fn();
    },
  };
}

describe('clock', () => {
  it('T52: goes on from where it was when the wall clock is set back', () => {
    const { clock, set } = createWall();
    const begin = clock.now();
    set(500);
    expect(clock.now()).toBe(begin + 500);
    set(-3_600_000);
    expect(clock.now()).toBe(begin + 500);
    set(100);
    expect(clock.now()).toBe(begin + 600);
  });

  it('counts a sleep', () => {
    const { clock, set } = createWall();
    const begin = clock.now();
    set(3_600_000);
    expect(clock.now() - begin).toBe(3_600_000);
  });

  it('T52: a timer that fires proves that its delay has passed, whatever the wall clock says', () => {
    const { clock, set, fire } = createWall();
    const begin = clock.now();
    let firedAt = 0;
    clock.wake(begin + 400, () => (firedAt = clock.now()));
    set(-3_600_000);
    fire();
    expect(firedAt).toBe(begin + 400);
    set(10);
    expect(clock.now()).toBe(begin + 410);
  });

  it('a delay is never negative, and a fraction is rounded up, so that nothing fires early', () => {
    const { clock, timers } = createWall();
    clock.wake(clock.now() - 5, () => {});
    clock.wake(clock.now() + 0.2, () => {});
    expect([...timers.values()].map(({ ms }) => ms)).toEqual([0, 1]);
  });

  it('a wait beyond 2^31 - 1 ms is clamped, since a longer timer would fire at once', () => {
    const { clock, timers } = createWall();
    clock.wake(clock.now() + 1e12, () => {});
    clock.wake(Infinity, () => {});
    expect([...timers.values()].map(({ ms }) => ms)).toEqual([2_147_483_647, 2_147_483_647]);
  });

  it('cancel may be called twice, and never calls inside wake', () => {
    const { clock, timers } = createWall();
    let calls = 0;
    const cancel = clock.wake(0, () => calls++);
    expect(calls).toBe(0);
    cancel();
    cancel();
    expect(timers.size).toBe(0);
  });
});
