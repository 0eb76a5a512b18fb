// Does time go on, and does an alarm ring once, in time and never too early?

import { conformanceCase, type ConformanceCase } from './stage.ts';

export const clockCases: readonly ConformanceCase[] = [
  conformanceCase('now() is a number and never decreases', async ({ adapter, ok, after }) => {
    let last = adapter.now();
    ok(Number.isFinite(last), `now() is ${last}`);
    for (let i = 0; i < 50; i++) {
      for (let j = 0; j < 100; j++) {
        const now = adapter.now();
        ok(now >= last, `${now} after ${last}`);
        last = now;
      }
      if (i % 10 === 0) await after(1);
    }
  }),

  conformanceCase('an alarm rings at its moment or after it', async ({ adapter, ok, after }) => {
    for (const ms of [0, 1, 5, 30]) {
      const at = adapter.now() + ms;
      await after(ms);
      ok(adapter.now() >= at, `${adapter.now()} for ${at}`);
    }
  }),

  ...[0, -1, -10_000].map((ms) =>
    conformanceCase(`an alarm for ${ms} ms from now rings soon, but not inside the call`, async ({ adapter, ok }) => {
      await new Promise<void>((resolve) => {
        let returned = false;
        adapter.wake(adapter.now() + ms, () => {
          ok(returned, 'after the call has returned');
          resolve();
        });
        returned = true;
      });
    }),
  ),

  conformanceCase('alarms ring in the order of their moments', async ({ adapter, equal, after }) => {
    const rung: number[] = [];
    const start = adapter.now();
    for (const ms of [30, 10, 20]) adapter.wake(start + ms, () => rung.push(ms));
    await after(60);
    equal(rung, [10, 20, 30], 'the order');
  }),

  conformanceCase('an alarm rings once', async ({ adapter, equal, after }) => {
    let rung = 0;
    adapter.wake(adapter.now() + 1, () => rung++);
    await after(30);
    equal(rung, 1, 'once');
  }),

  conformanceCase('a cancelled alarm does not ring, and may be cancelled twice', async ({ adapter, equal, after }) => {
    let rung = 0;
    const cancel = adapter.wake(adapter.now() + 5, () => rung++);
    cancel();
    cancel();
    await after(30);
    equal(rung, 0, 'never');
  }),

  conformanceCase('cancelling an alarm that has rung harms no other', async ({ adapter, equal, after }) => {
    let rung = 0;
    const cancel = adapter.wake(adapter.now(), () => {});
    await after(5);
    adapter.wake(adapter.now() + 5, () => rung++);
    cancel();
    await after(30);
    equal(rung, 1, 'the other one');
  }),

  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 2 ** 45].map((ms) =>
    conformanceCase(`T18: an alarm ${ms} ms from now does not ring at once`, async ({ adapter, equal, quiet }) => {
      let rung = 0;
      const cancel = adapter.wake(adapter.now() + ms, () => rung++);
      await quiet();
      cancel();
      equal(rung, 0, 'not yet');
    }),
  ),

  conformanceCase('random() is in [0, 1) and drawn anew each time', ({ adapter, ok }) => {
    const drawn = new Set<number>();
    for (let i = 0; i < 1_000; i++) {
      const value = adapter.random();
      ok(value >= 0 && value < 1, `random() is ${value}`);
      drawn.add(value);
    }
    ok(drawn.size > 900, `${drawn.size} different of 1000`);
  }),

  conformanceCase('watch, where there is one, can be stopped and started again', async ({ adapter, quiet, equal }) => {
    let hints = 0;
    const stop = adapter.watch?.(() => hints++);
    stop?.();
    const before = hints; // a host that has us suspended says so at once
    adapter.watch?.(() => {})();
    await quiet();
    equal(hints, before, 'nothing is told after the stop');
  }),
];
