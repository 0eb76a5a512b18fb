// Are the options sensible? And the small parts that need no socket: seats and slots.
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createServer, DEFAULTS, type ServerOptions } from '@holdfast/server';
import { slotOf } from '../src/drain.ts';
import { createSeats } from '../src/seats.ts';
import { readOptions } from '../src/settings.ts';

describe('options', () => {
  const bad: readonly [options: object, names: RegExp][] = [
    [{}, /port, server, noServer/],
    [{ port: 0, noServer: true }, /port, server, noServer/],
    [{ noServer: true, host: 'localhost' }, /host/],
    [{ noServer: true, tls: {} }, /tls/],
    [{ port: -1 }, /port/],
    [{ port: 65_536 }, /port/],
    [{ port: '80' }, /port/],
    [{ server: {} }, /server/],
    [{ noServer: true, path: 'live' }, /path/],
    [{ noServer: true, path: '/live?x' }, /path/],
    [{ noServer: true, orgins: [] }, /orgins/],
    [{ noServer: true, origins: 'https://app.example.com' }, /origins/],
    [{ noServer: true, origins: ['*'] }, /origins/],
    [{ noServer: true, origins: [/x/] }, /origins/],
    [{ noServer: true, origins: '*', credentials: 'cookie' }, /origins/],
    [{ noServer: true, credentials: 'cookies' }, /credentials/],
    [{ noServer: true, absentOrigin: 'yes' }, /absentOrigin/],
    [{ noServer: true, sameHost: true }, /sameHost/],
    [{ noServer: true, sameHost: { hosts: 'a' } }, /sameHost\.hosts/],
    [{ noServer: true, authorize: true }, /authorize/],
    [{ noServer: true, addressOf: 'x' }, /addressOf/],
    [{ noServer: true, admissionTimeout: 0 }, /admissionTimeout/],
    [{ noServer: true, admissionTimeout: 2 ** 31 }, /admissionTimeout/],
    [{ noServer: true, protocols: 'v1' }, /protocols/],
    [{ noServer: true, protocols: ['a b'] }, /protocols/],
    [{ noServer: true, maxPeers: 0 }, /maxPeers/],
    [{ noServer: true, maxPeersPerAddress: Number.NaN }, /maxPeersPerAddress/],
    [{ noServer: true, maxPayload: 0 }, /maxPayload/],
    [{ noServer: true, maxPayload: Infinity }, /maxPayload/],
    [{ noServer: true, maxBufferedBytes: -1 }, /maxBufferedBytes/],
    [{ noServer: true, heartbeat: true }, /heartbeat/],
    [{ noServer: true, heartbeat: { intervall: 1 } }, /heartbeat\.intervall/],
    [{ noServer: true, heartbeat: { message: '' } }, /heartbeat\.message/],
    [{ noServer: true, heartbeat: { interval: -1 } }, /heartbeat\.interval.*got -1/],
    [{ noServer: true, heartbeat: { interval: 10, timeout: 20 } }, /heartbeat\.timeout/],
    [{ noServer: true, budget: { messages: 5 } }, /budget\.messages/],
    [{ noServer: true, budget: { bytes: { perSecond: 0, burst: 1 } } }, /budget\.bytes\.perSecond/],
    [{ noServer: true, budget: { patience: 'long' } }, /budget\.patience/],
    [{ noServer: true, closeTimeout: 0 }, /closeTimeout/],
    [{ noServer: true, retryAfter: -1 }, /retryAfter/],
  ];
  test.each(bad)('%j is refused by name', (options, names) => {
    let thrown: unknown;
    try {
      createServer(options as ServerOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(names) });
  });

  test("an explicit undefined is as good as nothing, and nothing of the caller's is written to", () => {
    const options = Object.freeze({
      noServer: true,
      port: undefined,
      origins: undefined,
      heartbeat: Object.freeze({ interval: undefined, timeout: undefined }),
      budget: Object.freeze({ messages: undefined }),
      maxPayload: undefined,
      authorize: undefined,
    });
    const settings = readOptions(options);
    expect(settings.heartbeat).toEqual(DEFAULTS.heartbeat);
    expect(settings.budget).toEqual(DEFAULTS.budget);
    expect(settings.maxPayload).toBe(1_048_576);
  });

  test('an interval below the default timeout brings the timeout down with it', () => {
    const { heartbeat } = readOptions({ noServer: true, heartbeat: { interval: 5_000 } });
    expect(heartbeat).toMatchObject({ interval: 5_000, timeout: 5_000 });
  });

  test('the defaults cannot be written to', () => {
    expect(Object.isFrozen(DEFAULTS)).toBe(true);
    expect(Object.isFrozen(DEFAULTS.heartbeat)).toBe(true);
    expect(Object.isFrozen(DEFAULTS.budget.messages)).toBe(true);
    expect(Object.isFrozen(DEFAULTS.origins)).toBe(true);
  });
});

describe('the address that a client is counted under', () => {
  const { addressOf } = readOptions({ noServer: true });
  const under = (remoteAddress: string | undefined) =>
    addressOf({
      socket: { remoteAddress },
      headers: { 'x-forwarded-for': '9.9.9.9' },
    } as unknown as IncomingMessage);

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('%s counts as %s', (remote, address) => {
    expect(under(remote)).toBe(address);
  });
});

describe('seats', () => {
  test('are bounded in all and per address, and giving one back twice gives back one', () => {
    const seats = createSeats(3, 2);
    const a = seats.take('a');
    expect(seats.take('a')).toBeTypeOf('object');
    expect(seats.take('a')).toBe('address-full');
    const b = seats.take('b');
    expect(seats.take('c')).toBe('full');
    if (typeof a === 'string' || typeof b === 'string') throw new Error('there was room');
    a.release();
    a.release();
    expect(seats.taken).toBe(2);
    expect(seats.take('a')).toBeTypeOf('object');
    expect(seats.take('a')).toBe('full');
  });
});

describe('slots', () => {
  test('are a flat line: every hundredth of the time has a hundredth of the clients', () => {
    const slots = Array.from({ length: 10_000 }, (_, i) => slotOf(i, 10_000, { over: 60_000, after: 5_000 }));
    expect(slots[0]).toBe(5_000);
    const bins = new Array<number>(100).fill(0);
    for (const slot of slots) bins[Math.floor((slot - 5_000) / 600)]!++;
    expect(new Set(bins)).toEqual(new Set([100]));
  });
});
