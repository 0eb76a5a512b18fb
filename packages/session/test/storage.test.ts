// Does a session survive the one who holds it: a page that is loaded again, a script that is started again?

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStore } from '@holdfast/node';
import { hostStorage, storedBy, webStorage, type SnapshotStore } from '@holdfast/session';
import { CLOSE, MAX_HOLDERS, SUBPROTOCOL, encodeReady } from '@holdfast/session/wire';
import { StopReconnecting } from '@holdfast/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ack, reload, say, stage, type Stage } from './support/scripted.ts';
import { whilst, type NewClientOptions } from '../../core/test/support/worlds.ts';

const KEPT = {
  v: 1,
  session: { sid: 's1', token: 't1' },
  attempt: 1,
  holders: [1],
  received: 0,
  tag: 0,
  ttl: 120_000,
  proven: 0,
  held: [],
};

/** What each open and resume said of who asks. */
const holdersOf = ({ heard }: Stage): readonly (readonly number[])[] =>
  heard.flatMap((frame) => (frame.type === 'open' || frame.type === 'resume' ? [frame.holders] : []));

/** A store that remembers every text it was given. */
function memory(first?: string): SnapshotStore & { text: string | undefined; saves: string[] } {
  return {
    text: first,
    saves: [],
    load() {
      return this.text;
    },
    save(text) {
      this.saves.push(text);
      this.text = text;
    },
    remove() {
      this.text = undefined;
    },
  };
}

describe('a snapshot', () => {
  it('brings back the session, with all that was held, in order and under the same numbers', async () => {
    const store = memory();
    const before = stage({ storage: storedBy(store) });
    await before.opened();
    before.client.send('a');
    before.client.send(new Uint8Array([0, 200, 255]));
    say(before.server, 1, 'hello', 42);
    await before.world.run(10);
    ack(before.server, 1);
    await before.world.run(10);
    before.script.resume = ({ received }, connection) =>
      connection.send(encodeReady({ sid: 's1', token: undefined, received: 1, stored: received }));

    const after = reload(before, { storage: storedBy(store) });
    expect(after.client.queued).toBe(1);
    after.client.send('c');
    const count = after.messages().length;
    await after.opened();
    await after.world.run(10);
    expect(after.heard.find(({ type }) => type === 'resume')).toMatchObject({
      sid: 's1',
      token: 't1',
      attempt: 2,
      received: 1,
      tag: 42,
      acked: 1,
      sent: 2,
    });
    expect(after.sessions).toEqual([{ resumed: true }]);
    expect(after.messages().slice(count)).toEqual([
      { seq: 2, data: new Uint8Array([0, 200, 255]) },
      { seq: 3, data: 'c' },
    ]);
    expect(after.client.queued).toBe(2); // what was committed meanwhile is let go of
  });

  it('brings back what was sent before there was a session', async () => {
    const store = memory();
    const before = stage({ storage: storedBy(store) }, { autoConnect: false });
    before.client.connect();
    before.client.send('early');
    await before.world.run(1);
    const after = reload(before, { storage: storedBy(store) });
    await after.opened();
    await after.world.run(10);
    expect(after.messages()).toEqual([{ seq: 1, data: 'early' }]);
  });

  it('is written before an attempt is made, so that no number is used twice', async () => {
    const store = memory();
    const { world, heard, opened } = stage({ storage: storedBy(store) });
    await world.runUntil(() => heard.length > 0);
    expect(JSON.parse(store.text!)).toMatchObject({ attempt: 1 });
    await opened();
  });

  it('is written once a turn, however much changes in it', async () => {
    const store = memory();
    const { client, world, opened } = stage({ storage: storedBy(store) });
    await opened();
    await world.run(1);
    const saves = store.saves.length;
    for (let i = 0; i < 100; i++) client.send(`m${i}`);
    expect(store.saves.length).toBe(saves);
    await world.run(0);
    expect(store.saves.length).toBe(saves + 1);
  });

  it('is gone after close()', async () => {
    const store = memory();
    const { client, world, opened } = stage({ storage: storedBy(store) });
    await opened();
    client.send('x');
    await whilst(client.close(), world.run(100));
    expect(store.text).toBeUndefined();
  });

  it('of two who hold the same one, the one that was there loses it as taken, and they do not fight', async () => {
    const store = memory();
    const first = stage({ storage: storedBy(store) });
    await first.opened();
    const connection = first.server;
    const second = reload(first, { storage: storedBy(memory(store.text)) });
    await second.opened();
    connection.release();
    connection.close(CLOSE.superseded);
    await first.opened(2);
    await first.world.run(60_000);
    expect(first.lost).toEqual([{ reason: 'taken', inDoubt: [], unsent: [] }]);
    expect(first.told.opens.length + second.told.opens.length).toBe(3);
  });

  it('names those in whose place it comes, until the server is ready for it, and from then on itself alone', async () => {
    const store = memory();
    const first = stage({ storage: storedBy(store) });
    await first.opened();
    const [own] = holdersOf(first);
    first.script.resume = () => {}; // it may have been taken, and nobody hears of it
    const second = reload(first, { storage: storedBy(store) });
    await second.world.runUntil(() => holdersOf(second).length > 1);
    first.script.resume = ({ received }, connection) =>
      connection.send(encodeReady({ sid: 's1', token: undefined, received: 0, stored: received }));
    const third = reload(second, { storage: storedBy(store) });
    await third.opened();
    third.client.reconnect();
    await third.opened(2);
    expect(third.sessions).toEqual([{ resumed: true }, { resumed: true }]);
    const names = holdersOf(third);
    const [a, b, c] = names[2]!;
    expect(names).toEqual([own, [a, b], [a, b, c], [c]]);
    expect([a]).toEqual(own);
    expect(new Set([a, b, c]).size).toBe(3);
  });

  it('names no more than the protocol allows, and always the one that is known to have been taken', async () => {
    const store = memory();
    let page = stage({ storage: storedBy(store) });
    await page.opened();
    const [own] = holdersOf(page);
    page.script.resume = () => {}; // no store ever hears of these
    for (let i = 1; i <= MAX_HOLDERS + 3; i++) {
      page = reload(page, { storage: storedBy(store) });
      await page.world.runUntil(() => holdersOf(page).length > i);
    }
    page.script.resume = ({ holders, received }, connection) =>
      holders.indexOf(own![0]!) < 0
        ? connection.close(CLOSE.stale)
        : connection.send(encodeReady({ sid: 's1', token: undefined, received: 0, stored: received }));
    page = reload(page, { storage: storedBy(store) });
    await page.opened();
    expect([page.sessions, page.lost]).toEqual([[{ resumed: true }], []]);
    const [before, last] = holdersOf(page).slice(-2) as [number[], number[]];
    expect(last).toHaveLength(MAX_HOLDERS);
    expect(last.slice(1, -1)).toEqual(before.slice(2));
  });

  it('that comes by a promise is waited for, and goes before what was sent meanwhile', async () => {
    const store = memory();
    const before = stage({ storage: storedBy(store) });
    await before.opened();
    before.server.silence();
    before.client.send('held');
    await before.world.run(1);
    const slow: SnapshotStore = { ...store, load: () => Promise.resolve(store.text) };
    const after = reload(before, { storage: storedBy(slow) });
    after.client.send('new');
    await after.opened();
    await after.world.run(10);
    expect(after.messages().map(({ data }) => data)).toEqual(['held', 'new']);
  });

  it('that comes later than a socket lives does no harm, and is there for the next', async () => {
    const store = memory();
    const before = stage({ storage: storedBy(store) });
    await before.opened();
    await before.world.run(1);
    let loaded: (text: string | undefined) => void = () => {};
    const slow: SnapshotStore = { ...store, load: () => new Promise((resolve) => (loaded = resolve)) };
    const unhandled: unknown[] = [];
    const hear = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    onTestFinished(() => void process.off('unhandledRejection', hear));
    const { hello } = before.script;
    before.script.hello = undefined;
    const dials = before.world.server.connections.length;
    const after = reload(before, { storage: storedBy(slow) });
    await after.world.runUntil(() => after.world.server.connections.length > dials);
    await after.world.run(10);
    after.server.close(1012);
    await after.world.run(10);
    await new Promise(setImmediate); // a rejection that nobody listens to is told after the turn
    after.script.hello = hello;
    loaded(store.text);
    await after.opened();
    expect([after.sessions, unhandled]).toEqual([[{ resumed: true }], []]);
  });

  it.each<[string, NewClientOptions['url'], (client: Stage['client']) => unknown]>([
    ['close()', 'ws://world.test/', (client) => client.close()],
    [
      'the life has ended by itself',
      () => {
        throw new StopReconnecting('logged out');
      },
      () => {},
    ],
  ])('that comes after %s brings nothing back, and what it held is told', async (_, url, end) => {
    const store = memory();
    const before = stage({ storage: storedBy(store) });
    await before.opened();
    before.client.send('held');
    await before.world.run(20);
    const text = store.text;
    let loaded: (text: string | undefined) => void = () => {};
    const slow: SnapshotStore = {
      load: () => new Promise((resolve) => (loaded = resolve)),
      save: (later) => store.save(later),
      remove: () => store.remove(),
    };
    const after = reload(before, { storage: storedBy(slow) }, { url: url! });
    await end(after.client);
    await after.world.run(10);
    expect(after.client.status).toBe('closed');
    loaded(text);
    await after.world.run(10);
    expect([after.client.queued, store.text]).toEqual([0, undefined]);
    expect([after.lost, after.told.drops]).toEqual([[{ reason: 'ended', inDoubt: ['held'], unsent: [] }], []]);
  });

  it.each<[string, Partial<SnapshotStore>, NonNullable<NewClientOptions['url']>]>([
    [
      'the storage takes a while',
      { load: () => new Promise((resolve) => setImmediate(resolve, undefined)) },
      'ws://world.test/',
    ],
    ['the URL has to be waited for', {}, () => Promise.resolve('ws://world.test/')],
    [
      'the URL cannot be had',
      {},
      () => {
        throw new Error('no token without a network');
      },
    ],
  ])('holds what is sent while there is no network, also where %s', async (_, how, url) => {
    const store = memory();
    const save = (text: string) => store.save(text);
    const { client, world } = stage({ storage: storedBy({ ...store, save, ...how }) }, { url, autoConnect: false });
    world.server.reception = { name: 'refused' };
    client.connect();
    client.send('important');
    await new Promise(setImmediate);
    await world.run(1_000);
    expect(store.text).toContain('important');
  });

  it('keeps its session from being left for plain because a dial fails, as long as it may live', async () => {
    const store = memory();
    const options = { mode: 'prefer', storage: storedBy(store) } as const;
    const before = stage(options);
    await before.opened();
    before.client.send('held');
    await before.world.run(20);
    const { world, script } = before;
    const { hello } = script;
    const dials = world.server.connections.length;
    const offers = ({ protocols }: { readonly protocols: readonly string[] }) => protocols.includes(SUBPROTOCOL);
    world.server.reception = (request, id) =>
      id === dials + 1 ? { name: 'refused' } : { name: 'open', protocol: offers(request) ? SUBPROTOCOL : '' };
    world.server.onOpen = (connection) => void (offers(connection.request) && connection.send(hello!));
    const after = reload(before, options);
    await after.opened();
    expect([after.lost, after.sessions]).toEqual([[], [{ resumed: true }]]);
  });

  it.each([
    ['nonsense', () => 'nonsense'],
    ['another version', () => '{"v":2}'],
    [
      'a store that throws',
      () => {
        throw new Error('no access');
      },
    ],
    ['a store that rejects', () => Promise.reject(new Error('no access'))],
    ['an attempt below 0', () => JSON.stringify({ ...KEPT, attempt: -2 })],
    ['a holder of 33 bits', () => JSON.stringify({ ...KEPT, holders: [2 ** 32] })],
    ['holders that are no list', () => JSON.stringify({ ...KEPT, holders: 1 })],
  ])('that cannot be read is told, and a new session begins: %s', async (_, load) => {
    const { opened, sessions, reports } = stage({ storage: storedBy({ ...memory(), load }) });
    await opened();
    expect(sessions).toEqual([{ resumed: false }]);
    expect(reports[0]).toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('that cannot be written is told, and the session goes on', async () => {
    const full = {
      ...memory(),
      save: () => {
        throw new Error('quota');
      },
    };
    const { opened, client, reports, world, messages } = stage({ storage: storedBy(full) });
    await opened();
    client.send('x');
    await world.run(10);
    expect(reports[0]).toMatchObject({ code: 'STORAGE_FAILED' });
    expect(messages()).toHaveLength(1);
  });
});

describe('ready storages', () => {
  it('webStorage keeps it under one key', () => {
    const items = new Map<string, string>();
    const web = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, text: string) => void items.set(key, text),
      removeItem: (key: string) => void items.delete(key),
    };
    const { opened } = stage({ storage: webStorage(web, 'mine') });
    return opened().then(() => expect([...items.keys()]).toEqual(['mine']));
  });

  it('hostStorage keeps it with uni and its kin, where nothing is an empty text', async () => {
    const items = new Map<string, unknown>();
    const uni = {
      getStorageSync: (key: string) => items.get(key) ?? '',
      setStorageSync: (key: string, text: string) => void items.set(key, text),
      removeStorageSync: (key: string) => void items.delete(key),
    };
    const before = stage({ storage: hostStorage(uni) });
    await before.opened();
    await before.world.run(1);
    const after = reload(before, { storage: hostStorage(uni) });
    await after.opened();
    expect(after.sessions).toEqual([{ resumed: true }]);
  });

  it('fileStore keeps it in a file of its owner’s, whole or not at all', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-session-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'session');
    const before = stage({ storage: storedBy(fileStore(path)) });
    await before.opened();
    await before.world.run(1);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ session: { sid: 's1', token: 't1' } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const after = reload(before, { storage: storedBy(fileStore(path)) });
    await after.opened();
    expect(after.sessions).toEqual([{ resumed: true }]);
    await whilst(after.client.close(), after.world.run(100));
    expect(fileStore(path).load()).toBeUndefined();
  });
});
