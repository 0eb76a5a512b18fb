// Has the conformance suite teeth? Each law is broken by an adapter made for it, and a case must notice.

import type { Adapter, CloseInfo, Data, Socket, SocketEvents } from '@holdfast/core';
import { nodeAdapter } from '@holdfast/node';
import { conformanceCases, createFaultServer, type FaultServer } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let server: FaultServer;
beforeAll(async () => {
  server = await createFaultServer();
});
afterAll(() => server.close());

/** An adapter with one fault. */
interface Fault {
  readonly name: string;
  /** Of the case that must notice. */
  readonly caughtBy: string;
  readonly adapter: (sound: Adapter) => Adapter;
}

describe('the conformance suite', () => {
  it('has cases enough, each with a name of its own', () => {
    const names = conformanceCases().map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(100);
    expect(new Set(names).size).toBe(names.length);
  });

  it('leaves out what a host lacks', () => {
    const left = conformanceCases(['subprotocols', 'close-details']);
    expect(left.length).toBeLessThan(conformanceCases().length);
    expect(left.filter(({ needs }) => needs.includes('close-details'))).toEqual([]);
  });

  it.each<Fault>([
    {
      name: 'sends the whole buffer of a view',
      caughtBy: 'two bytes in the middle',
      adapter: onSend((data, send) => send(typeof data === 'string' ? data : new Uint8Array(data.buffer))),
    },
    {
      name: 'reads what it sends only later',
      caughtBy: 'T36',
      adapter: onSend((data, send) => setImmediate(() => send(data))),
    },
    {
      name: 'sends binary before text',
      caughtBy: '1 000 messages, text and binary mixed, keep',
      adapter: onSend((data, send) => (typeof data === 'string' ? setImmediate(() => send(data)) : send(data))),
    },
    {
      name: 'hands out Buffers',
      caughtBy: 'plain Uint8Array over',
      adapter: onMessage((data, tell) => tell(typeof data === 'string' ? data : Buffer.from(data))),
    },
    {
      name: 'hands out binary in the same memory each time',
      caughtBy: 'is not overwritten',
      adapter: (sound) => {
        const memory = new Uint8Array(10_000);
        return onMessage((data, tell) => {
          if (typeof data === 'string') return tell(data);
          memory.set(data);
          tell(memory.subarray(0, data.length));
        })(sound);
      },
    },
    {
      name: 'swallows empty messages',
      caughtBy: 'T40: a binary message of no bytes',
      adapter: onMessage((data, tell) => (data.length > 0 ? tell(data) : undefined)),
    },
    {
      name: 'tells each message twice',
      caughtBy: 'text arrives as it was sent',
      adapter: onMessage((data, tell) => {
        tell(data);
        tell(data);
      }),
    },
    {
      name: 'tells closed twice',
      caughtBy: 'a port at which nobody listens',
      adapter: onClosed((close, tell) => {
        tell(close);
        tell(close);
      }),
    },
    {
      name: 'tells messages after closed',
      caughtBy: 'what the server said before it closed',
      adapter: onMessage((data, tell) => setTimeout(() => tell(data), 15)),
    },
    {
      name: 'tells closed after terminate()',
      caughtBy: 'terminate() in the middle of the closing handshake',
      adapter: withSocket((socket) => but(socket, { send: (data) => socket.send(data), terminate() {} })),
    },
    {
      name: 'forgets to terminate while dialling',
      caughtBy: 'T10: terminate() in the tick of the dial is silence (/greet)',
      adapter: withSocket((socket) => but(socket, { terminate: () => socket.close(1000, '') })),
    },
    {
      name: 'calls every end clean',
      caughtBy: 'without a close frame is 1006',
      adapter: onClosed((close, tell) => tell({ ...close, wasClean: true })),
    },
    {
      name: 'takes a close without a code for 1000',
      caughtBy: 'a close without a code is 1005',
      adapter: onClosed((close, tell) => tell(close.code === 1005 ? { ...close, code: 1000 } : close)),
    },
    {
      name: 'cuts reasons by characters',
      caughtBy: 'T26: a reason of 123 bytes',
      adapter: onClosed((close, tell) => tell({ ...close, reason: close.reason.slice(0, 100) })),
    },
    {
      name: 'makes up a status',
      caughtBy: 'an upgrade refused with 403',
      adapter: onClosed((close, tell) => tell({ ...close, status: 500 })),
    },
    {
      name: 'tells the subprotocol that it asked for',
      caughtBy: 'the subprotocol that the server chose',
      adapter: (sound) => ({
        ...sound,
        openSocket: (request, events) =>
          sound.openSocket(request, {
            ...events,
            opened: () => events.opened({ protocol: request.protocols[0] ?? '' }),
          }),
      }),
    },
    {
      name: 'listens a turn too late',
      caughtBy: 'T14',
      adapter: (sound) => ({
        ...sound,
        openSocket(request, events) {
          let listening = false;
          return sound.openSocket(request, {
            ...events,
            opened(info) {
              events.opened(info);
              setTimeout(() => (listening = true), 5);
            },
            message: (data) => (listening ? events.message(data) : undefined),
          });
        },
      }),
    },
    {
      name: 'throws at a bad start',
      caughtBy: 'T13: a subprotocol that is not one',
      adapter: (sound) => ({
        ...sound,
        openSocket(request, events) {
          if (request.protocols.includes('not a token')) throw new SyntaxError('bad subprotocol');
          return sound.openSocket(request, events);
        },
      }),
    },
    {
      name: 'tells a bad start before it has returned',
      caughtBy: 'T13: a subprotocol that is not one',
      adapter: (sound) => ({
        ...sound,
        openSocket(request, events) {
          events.closed({ code: 1006, reason: '', wasClean: false });
          return sound.openSocket(request, { ...events, closed() {} });
        },
      }),
    },
    {
      name: 'claims ping frames that it has not',
      caughtBy: 'a capability is there exactly where it is claimed',
      adapter: withSocket((socket) => but(socket, { ping: undefined as never })),
    },
    {
      name: 'claims a bufferedAmount that never grows',
      caughtBy: 'T42',
      adapter: withSocket((socket) => but(socket, { bufferedAmount: 0 })),
    },
    {
      name: 'rings inside the call',
      caughtBy: 'an alarm for 0 ms from now',
      adapter: (sound) => ({
        ...sound,
        wake(at, wakeUp) {
          if (at > sound.now()) return sound.wake(at, wakeUp);
          wakeUp();
          return () => {};
        },
      }),
    },
    {
      name: 'rings at once when the alarm is too far away for a timer',
      caughtBy: 'T18: an alarm 2147483648 ms',
      adapter: (sound) => ({
        ...sound,
        wake: (at, wakeUp) => sound.wake(at - sound.now() > 2 ** 31 - 1 ? sound.now() + 1 : at, wakeUp),
      }),
    },
    {
      name: 'cannot cancel',
      caughtBy: 'a cancelled alarm',
      adapter: (sound) => ({
        ...sound,
        wake(at, wakeUp) {
          sound.wake(at, wakeUp);
          return () => {};
        },
      }),
    },
    {
      name: 'has a clock that goes back',
      caughtBy: 'now() is a number',
      adapter: (sound) => {
        let reads = 0;
        return { ...sound, now: () => sound.now() - (reads++ % 100 === 50 ? 1_000 : 0) };
      },
    },
    {
      name: 'draws its random number once',
      caughtBy: 'random()',
      adapter: (sound) => ({ ...sound, random: () => 0.5 }),
    },
  ])('notices an adapter that $name', async ({ caughtBy, adapter }) => {
    const suspects = conformanceCases().filter(({ name }) => name.includes(caughtBy));
    expect(suspects.length).toBeGreaterThan(0);
    const { refusedUrl } = server;
    for (const { run } of suspects) {
      const context = {
        adapter: adapter(nodeAdapter()),
        url: (path: string) => server.url(path),
        refusedUrl,
        patience: 500,
      };
      await expect(run(context)).rejects.toThrow(/broken|in vain|bad subprotocol/);
    }
  });
});

/** The methods of a socket of the adapter for Node need no `this`, so a copy of it works as well. */
function withSocket(change: (socket: Socket) => Socket): Fault['adapter'] {
  return (sound) => ({ ...sound, openSocket: (request, events) => change(sound.openSocket(request, events)) });
}

function onSend(change: (data: Data, send: (data: Data) => void) => void): Fault['adapter'] {
  return withSocket((socket) => but(socket, { send: (data) => change(data, (changed) => socket.send(changed)) }));
}

function withEvents(change: (events: SocketEvents) => SocketEvents): Fault['adapter'] {
  return (sound) => ({ ...sound, openSocket: (request, events) => sound.openSocket(request, change(events)) });
}

function onMessage(change: (data: Data, tell: (data: Data) => void) => void): Fault['adapter'] {
  return withEvents((events) => ({ ...events, message: (data) => change(data, (changed) => events.message(changed)) }));
}

function onClosed(change: (close: CloseInfo, tell: (close: CloseInfo) => void) => void): Fault['adapter'] {
  return withEvents((events) => ({ ...events, closed: (close) => change(close, (changed) => events.closed(changed)) }));
}

/** The same socket, with some members of its own. */
function but(socket: Socket, members: Partial<Socket>): Socket {
  return Object.create(socket, Object.getOwnPropertyDescriptors(members)) as Socket;
}
