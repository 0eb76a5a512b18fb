// Everything that a client hands to its sockets, with the moment, the socket, and whether it was open.

import type { Adapter, Data } from '@holdfast/core';
import type { World, WorldAdapterOptions } from '@holdfast/testing';

export interface Written {
  readonly at: number;
  /** From 1, in the order of dialling. */
  readonly socket: number;
  readonly isOpen: boolean;
  readonly data: Data;
}

export interface Tap {
  readonly adapter: Adapter;
  readonly written: Written[];
  /** The moments at which the text heartbeat, or a ping frame, was written. */
  readonly pingTimes: () => number[];
}

export function tap(world: World, options?: WorldAdapterOptions, inner: Adapter = world.adapter(options)): Tap {
  const written: Written[] = [];
  let sockets = 0;
  return {
    written,
    pingTimes: () => written.filter(({ data }) => data === 'ping' || typeof data !== 'string').map(({ at }) => at),
    adapter: {
      ...inner,
      openSocket(request, events) {
        const socket = ++sockets;
        let isOpen = false;
        const real = inner.openSocket(request, {
          ...events,
          opened(info) {
            isOpen = true;
            events.opened(info);
          },
        });
        const note = (data: Data): void => void written.push({ at: world.now, socket, isOpen, data });
        return {
          send(data) {
            note(data);
            real.send(data);
          },
          ping(payload) {
            note(payload);
            real.ping!(payload);
          },
          close: (code, reason) => real.close(code, reason),
          terminate: () => real.terminate(),
          get bufferedAmount() {
            return real.bufferedAmount;
          },
        };
      },
    },
  };
}
