// What does a node with many sessions weigh, on its store and in its memory? Weighed apart: numbers near their end, as other
// tests have them, make all sessions of a process heavier.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { SessionStore } from '../../src/sessions/store.ts';
import { createMemoryState } from '../../src/sessions/memory-state.ts';
import { createMemoryStore } from '../../src/sessions/memory-store.ts';
import { BOUNDS, request } from '../support/store-laws.ts';
import { createGate, createWorld, settled } from './world.ts';

test('leases are touched some at a time: the next when the store has answered, and not by two beats at once', async () => {
  const world = createWorld();
  const asked: number[] = [];
  let gate = createGate();
  const touch: SessionStore['touch'] = async (leases, ttl) => {
    asked.push(leases.length);
    await gate.promise;
    return world.memory.touch(leases, ttl);
  };
  const node = world.node({ store: { ...world.memory, touch } });
  for (let i = 0; i < 600; i++) node.join({ auth: `${i}` });
  await world.time.pass(60_000);
  expect(asked).toEqual([256]);
  for (const expected of [
    [256, 256],
    [256, 256, 88],
    [256, 256, 88],
  ]) {
    const answered = gate;
    gate = createGate();
    answered.open();
    await settled();
    expect(asked).toEqual(expected);
  }
  gate.open();
});

test('a session that waits for its client does not keep the socket that is gone', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const node = createWorld().node();
  const socket = (() => {
    const socket = node.dial().open();
    socket.break();
    return new WeakRef(socket);
  })();
  await new Promise(setImmediate);
  collect();
  expect(node.session.isConnected).toBe(false);
  expect(socket.deref()).toBeUndefined();
});

test('an idle session of 100 000 in memory takes less than half a kilobyte', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const count = 100_000;
  const state = createMemoryState();
  const store = createMemoryStore({ now: () => 1_000, state });
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) {
    const sid = `session-${String(i).padStart(14)}`;
    // texts of their own, as from a socket
    const tokenHash = Buffer.from(String(i).padStart(64, 'a')).toString();
    store.open(request({ sid, tokenHash, principal: `user-${i}`, holders: [2 ** 32 - 1 - i] }), BOUNDS);
  }
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  expect(state.sessions.size).toBe(count);
  expect(bytes).toBeLessThan(512);
});
