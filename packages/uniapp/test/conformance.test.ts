// Does the adapter keep the laws of every adapter, where there is nothing but timers and `wx`?

import type * as Conformance from '@holdfast/testing/conformance';
import type * as Uniapp from '@holdfast/uniapp';
import { conformanceCases } from '@holdfast/testing/conformance';
import { createFaultServer, type FaultServer } from '@holdfast/testing';
import { afterAll, afterEach, assert, beforeAll, describe, expect, it } from 'vitest';
import { bundle, createRealm, type Realm } from './support/realm.ts';

type Inside = typeof Uniapp & typeof Conformance;

const LACKS = ['many-sockets'] as const;

let server: FaultServer;
let realm: Realm;
let inside: Inside;
beforeAll(async () => {
  server = await createFaultServer();
  realm = createRealm();
  inside = realm.load(await bundle(`export * from '@holdfast/uniapp'; export * from '@holdfast/testing/conformance';`));
});
afterEach(async () => {
  await server.idle(); // nothing is left open
  await realm.wx.idle();
  assert.deepEqual(realm.wx.offences, []);
});
afterAll(() => server.close());

describe('the adapter keeps the laws, in a bare realm on a strict wx', () => {
  it('U41: the realm is bare', () => {
    const names = 'URL TextEncoder AbortController EventTarget Event queueMicrotask crypto performance fetch WebSocket';
    const there = `${names} window document`.split(' ').filter((name) => realm.run(`typeof ${name}`) !== 'undefined');
    expect(there).toEqual([]);
    expect(() => realm.run('Function("return 1")')).toThrow(/Code generation from strings/);
  });

  it.each(conformanceCases(LACKS))('$name', async ({ name }) => {
    const { run } = inside.conformanceCases(LACKS).find((each) => each.name === name)!;
    const { connectSocket } = realm.wx;
    const adapter = inside.uniappAdapter({ connectSocket: connectSocket as never });
    const { refusedUrl } = server;
    const context = { adapter, url: (path: string) => server.url(path), refusedUrl, patience: 5_000 };
    await expect(run(context)).resolves.toBeUndefined();
  });

  it('U2, U41: a client opens, sends, receives, is dropped, comes back and closes', async () => {
    const client = inside.connect(server.url('/echo/client'), {
      connectSocket: realm.wx.connectSocket as never,
      reconnect: { initialDelay: 0 },
    });
    const heard: unknown[] = [];
    client.on('message', (data) => heard.push(typeof data === 'string' ? data : Array.from(data)));
    await client.opened();
    client.send('hello');
    client.send(Uint8Array.of(1, 2, 3).subarray(1));
    const first = await server.connection('/echo/client');
    await first.received(2);
    first.terminate();
    await new Promise((resolve) => client.once('close', resolve));
    await client.opened();
    client.send('again');
    await new Promise((resolve) => client.on('message', (data) => data === 'again' && resolve(undefined)));
    expect(heard).toContain('again');
    await client.close();
  });
});
