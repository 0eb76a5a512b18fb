// A runtime in which every send costs time of the loop.

import type { Data } from '@holdfast/core';
import type { World, WorldAdapterOptions } from '@holdfast/testing';

/** `slices`: how much each turn of the loop has cost. */
export function slow(world: World, costOf: (data: Data) => number, options?: WorldAdapterOptions) {
  const inner = world.adapter(options);
  let spent = 0;
  const slices: number[] = [];
  let sliceAt = -1;
  const note = (cost: number): void => {
    if (sliceAt !== wakes) slices.push(0);
    sliceAt = wakes;
    slices[slices.length - 1]! += cost;
    spent += cost;
  };
  let wakes = 0;
  return {
    slices,
    adapter: {
      ...inner,
      now: () => inner.now() + spent,
      wake: (at: number, wakeUp: () => void) =>
        inner.wake(at - spent, () => {
          wakes++;
          wakeUp();
        }),
      openSocket: ((request, events) => {
        const socket = inner.openSocket(request, events);
        const send = (data: Data): void => {
          note(costOf(data));
          socket.send(data);
        };
        return Object.assign(Object.create(socket) as typeof socket, { send });
      }) satisfies typeof inner.openSocket,
    },
  };
}
