// How does Holdfast come to stand on the socket with no wire?
//
// As an adapter for a platform with the W3C's WebSocket would do it: one phase, a check of the data's form, nothing else.

import { createClock, withAccessors, type Adapter, type Hint } from '@holdfast/core';
import { NoWireSocket } from './no-wire.ts';

export interface NoWireAdapter extends Adapter {
  /** What the platform would say of network and visibility. */
  hint(hint: Hint): void;
}

export function noWireAdapter(): NoWireAdapter {
  let tell: ((hint: Hint) => void) | undefined;
  return {
    name: 'no-wire',
    capabilities: { headers: false, bufferedAmount: true, pingFrames: false },
    random: () => Math.random(),
    ...createClock({
      read: () => Date.now(),
      setTimeout: (wakeUp, ms) => setTimeout(wakeUp, ms),
      clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    }),
    hint: (hint) => tell?.(hint),
    watch(given) {
      tell = given;
      return () => {
        tell = undefined;
      };
    },
    openSocket({ url }, events) {
      let phase: 'dialling' | 'open' | 'over' = 'dialling';
      const socket = new NoWireSocket(url);
      socket.addEventListener('open', () => {
        if (phase !== 'dialling') return;
        phase = 'open';
        events.opened({ protocol: socket.protocol });
      });
      socket.addEventListener('message', ({ data }) => {
        if (phase !== 'open') return;
        events.message(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
      });
      socket.addEventListener('close', ({ code, reason, wasClean }) => {
        if (phase === 'over') return;
        phase = 'over';
        events.closed({ code, reason, wasClean });
      });
      return withAccessors({
        send(data) {
          socket.send(data);
        },
        close() {
          socket.close();
        },
        terminate() {
          phase = 'over';
          socket.close();
        },
        get bufferedAmount() {
          return socket.bufferedAmount;
        },
      });
    },
  };
}
