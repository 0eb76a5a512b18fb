import { describe, expect, it } from 'vitest';
import { createClock, type Adapter } from '@holdfast/core';
import { liveOf, newClient, newWorld, openClient, type Watched } from './support/worlds.ts';
import { tap } from './support/tap.ts';
import type { World } from '@holdfast/testing';

const INTERVAL = 30_000;
const TIMEOUT = 10_000;
/** One way over the link of a default world. */
const LATENCY = 5;

/** Open for long enough to be stable, and known to reply. */
async function openAndKnown(world: World, options: Parameters<typeof newClient>[1] = {}): Promise<Watched> {
  const watched = await openClient(world, options);
  await world.runUntil(() => watched.told.pongs.length > 0);
  await world.run(6_000);
  return watched;
}

const dials = (world: World): number => world.server.connections.length;

describe('a dead link', () => {
  it('T1: is given up one timeout after the ping, and the next dial does not wait for the old close event', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world, { heartbeat: { interval: 200, timeout: 200 } });
    const old = world.server.last;
    old.silence();
    const silencedAt = world.now;
    await world.runUntil(() => dials(world) === 2);
    expect(world.now - silencedAt).toBeLessThanOrEqual(200 + 200 + 1);
    expect(old.wasTerminated).toBe(true);
    expect(told.closes).toMatchObject([
      { code: 1006, wasClean: false, asked: false, delay: 0, cause: { code: 'HEARTBEAT_TIMEOUT' } },
    ]);
  });

  it.each([0, 1, 5_000, 15_000, 29_999])(
    'T1: with every default, %i ms into the silence between two pings, is noticed within 40 s',
    async (offset) => {
      const world = newWorld();
      const { told } = await openAndKnown(world);
      await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL) + 2 * LATENCY + offset);
      world.server.last.silence();
      const silencedAt = world.now;
      await world.runUntil(() => told.closes.length > 0);
      expect(world.now - silencedAt).toBeLessThanOrEqual(INTERVAL + TIMEOUT);
    },
  );

  it('T1: with ping frames, is noticed on the first socket already, for every peer must answer those', async () => {
    const world = newWorld();
    const { told } = await openClient(world, { runtime: { pingFrames: true } });
    world.server.last.silence();
    const silencedAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - silencedAt).toBeLessThanOrEqual(INTERVAL + TIMEOUT);
  });

  it('T2: what the old socket still brings reaches nobody, and touches nothing of the new one', async () => {
    const world = newWorld({ rude: true });
    const { client, told } = await openAndKnown(world);
    const old = world.server.last;
    old.silence();
    old.send('late');
    await world.runUntil(() => told.opens.length === 2);
    old.release();
    old.send('later');
    old.close(4400, 'much later');
    await world.run(60_000);
    expect(told.messages).toEqual([]);
    expect(told.closes).toHaveLength(1);
    expect(client.status).toBe('open');
    expect(dials(world)).toBe(2);
  });

  it('T3: every socket that was left behind was terminated, after 20 forced reconnects', async () => {
    const world = newWorld();
    const { client } = await openClient(world);
    for (let i = 0; i < 20; i++) {
      client.reconnect();
      await world.runUntil(() => client.status === 'open');
    }
    expect(dials(world)).toBe(21);
    expect(world.server.connections.slice(0, -1).every(({ wasTerminated }) => wasTerminated)).toBe(true);
    expect(liveOf(world)).toHaveLength(1);
  });

  it('T4: takes its timers along: nothing is written to the socket that is still dialling', async () => {
    const world = newWorld();
    const { adapter, written } = tap(world);
    const { told } = await openAndKnown(world, { adapter });
    await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL) - 10);
    world.server.reception = { name: 'hanging' };
    world.server.last.cut();
    await world.run(60_000);
    expect(dials(world)).toBeGreaterThan(2);
    expect(written.filter(({ isOpen }) => !isOpen)).toEqual([]);
    expect(told.errors).toEqual([]);
  });

  it('T5: is told once, not once per tick', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world, { heartbeat: { interval: 1_000, timeout: 10_000 } });
    world.server.last.silence();
    await world.run(60_000);
    expect(told.closes.filter(({ cause }) => cause !== undefined)).toHaveLength(1);
    expect(told.errors).toEqual([]);
  });

  it('with a timeout longer than the interval, is noticed within both together', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world, { heartbeat: { interval: 1_000, timeout: 10_000 } });
    world.server.last.silence();
    const silencedAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - silencedAt).toBeGreaterThan(10_000);
    expect(world.now - silencedAt).toBeLessThanOrEqual(11_000);
  });
});

describe('signs of life', () => {
  it('T5: any frame will do, but only a reply measures', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    const measured = told.pongs.length;
    world.server.reply = undefined;
    for (let i = 0; i < 60; i++) {
      world.server.last.send('news');
      await world.run(5_000);
    }
    expect(dials(world)).toBe(1);
    expect(told.pongs).toHaveLength(measured);
  });

  it('T5: a ping frame of the server is one too', async () => {
    const world = newWorld();
    await openAndKnown(world, { heartbeat: { expectReply: true } });
    world.server.reply = undefined;
    for (let i = 0; i < 60; i++) {
      world.server.last.ping();
      await world.run(5_000);
    }
    expect(dials(world)).toBe(1);
  });

  it('T5: traffic from before the ping is none', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL) - 6);
    world.server.last.send('just before');
    await world.run(5);
    world.server.last.silence();
    await world.run(TIMEOUT + 10);
    expect(told.messages).toEqual(['just before']);
    expect(told.closes).toHaveLength(1);
  });

  it('T5: replies that are owed reach no listener; the same text unasked is a message', async () => {
    const world = newWorld();
    const { told } = await openClient(world);
    world.server.last.send('pong');
    await world.run(10 * INTERVAL + 100);
    expect(told.pongs).toHaveLength(10);
    expect(told.messages).toEqual(['pong']);
  });

  it('T9: the default reply is not the text of the ping', async () => {
    const world = newWorld();
    const { adapter, written } = tap(world);
    const { told } = await openClient(world, { adapter });
    await world.run(INTERVAL + 100);
    expect(written.map(({ data }) => data)).toEqual(['ping']);
    expect(told.pongs).toHaveLength(1);
  });

  it('a reply may be recognised by a function, which is asked only while one is owed', async () => {
    const world = newWorld();
    world.server.reply = '{"t":"pong"}';
    const asked: unknown[] = [];
    const reply = (data: unknown): boolean => asked.push(data) > 0 && data === '{"t":"pong"}';
    const { told } = await openClient(world, { heartbeat: { reply } });
    world.server.last.send('unasked');
    await world.run(INTERVAL + 100);
    expect(asked).toEqual(['{"t":"pong"}']);
    expect(told.pongs).toHaveLength(1);
    expect(told.messages).toEqual(['unasked']);
  });

  it('T43: a reply function that throws is told as an error, and its frame is a message', async () => {
    const world = newWorld();
    const reply = (): boolean => {
      throw new Error('cannot tell');
    };
    const { client, told } = await openClient(world, { heartbeat: { reply } });
    await world.run(INTERVAL + 100);
    expect(told.messages).toEqual(['pong']);
    expect(told.errors).toMatchObject([{ code: 'LISTENER_THREW', cause: { message: 'cannot tell' } }]);
    expect(client.status).toBe('open');
  });

  it('the n-th reply answers the n-th ping, and the round trip is measured from there', async () => {
    const world = newWorld({ latency: 400 });
    const { client, told } = await openClient(world, { heartbeat: { interval: 300, timeout: 2_000 } });
    expect(client.latency).toBeUndefined();
    await world.run(3_000);
    expect(told.pongs.length).toBeGreaterThan(5);
    expect(new Set(told.pongs)).toEqual(new Set([800]));
    expect(client.latency).toBe(800);
  });

  it('RFC 6455 5.5.3: a pong for the latest of several ping frames answers them all', async () => {
    const world = newWorld();
    const inner = world.adapter({ pingFrames: true });
    const pings: Uint8Array[] = [];
    let answer: (payload: Uint8Array) => void;
    const adapter: Adapter = {
      ...inner,
      openSocket(request, events) {
        answer = (payload) => events.pong!(payload);
        const socket = inner.openSocket(request, events);
        return Object.assign(Object.create(socket) as typeof socket, {
          ping: (payload: Uint8Array) => pings.push(payload),
        });
      },
    };
    const { told } = await openClient(world, { adapter, heartbeat: { interval: 1_000, timeout: 20_000 } });
    await world.run(3_500);
    expect(pings).toHaveLength(3);
    answer!(new Uint8Array([9, 9, 9, 9, 9])); // nobody asked
    answer!(pings[1]!);
    answer!(pings[0]!); // answered already
    expect(told.pongs).toEqual([1_500]);
    answer!(pings[2]!);
    expect(told.pongs).toEqual([1_500, 500]);
  });
});

describe('the cadence', () => {
  it('is strict: a ping every interval while the server talks all the time', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    await openClient(world, { adapter });
    for (let i = 0; i < 600; i++) {
      world.server.last.send('chatter');
      await world.run(1_000);
    }
    const expected = Array.from({ length: 20 }, (_, i) => (i + 1) * INTERVAL + LATENCY);
    expect(pingTimes().slice(0, 19)).toEqual(expected.slice(0, 19));
  });

  it('goes on while an answer is still owed', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    await openAndKnown(world, { adapter, heartbeat: { interval: 1_000, timeout: 10_000 } });
    world.server.last.silence();
    const before = pingTimes().length;
    await world.run(9_000);
    expect(pingTimes().length - before).toBe(9);
  });

  it('is not moved by pings that prove or probe', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    const { client } = await openAndKnown(world, { adapter });
    client.send('to be proven');
    await world.run(3_000);
    world.hint('visible');
    await world.run(2 * INTERVAL);
    const onGrid = pingTimes().filter((at) => (at - LATENCY) % INTERVAL === 0);
    expect(onGrid).toEqual([INTERVAL + LATENCY, 2 * INTERVAL + LATENCY, 3 * INTERVAL + LATENCY]);
    expect(pingTimes()).toHaveLength(5);
  });

  it('after a long sleep starts anew, without a burst', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    await openAndKnown(world, { adapter });
    await world.sleep(3_600_000);
    await world.run(1_000);
    expect(pingTimes()).toHaveLength(2);
    await world.run(INTERVAL);
    expect(pingTimes()).toHaveLength(3);
  });

  it('with heartbeat: false there is none, and no timer for one', async () => {
    const world = newWorld();
    const { adapter, written } = tap(world);
    await openClient(world, { adapter, heartbeat: false });
    expect(world.timers).toBe(0);
    world.hint('visible');
    await world.run(3_600_000);
    expect(written).toEqual([]);
  });

  it('ping frames are used where there are any, unless a message was given', async () => {
    const world = newWorld();
    const frames = tap(world, { pingFrames: true });
    const texts = tap(world, { pingFrames: true });
    await openClient(world, { adapter: frames.adapter });
    await openClient(world, { adapter: texts.adapter, heartbeat: { message: 'ping' } });
    await world.run(INTERVAL + 10);
    expect(frames.written.map(({ data }) => typeof data)).toEqual(['object']);
    expect(texts.written.map(({ data }) => data)).toEqual(['ping']);
  });
});

describe('deadlines that come late', () => {
  it('T6: a reply that is there, but not read yet, is read before the verdict', async () => {
    const world = newWorld();
    await openAndKnown(world);
    await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL) + LATENCY + 1); // the reply is on its way
    await world.sleep(TIMEOUT + 500);
    await world.run(INTERVAL);
    expect(dials(world)).toBe(1);
  });

  it.each([false, true])(
    'T6: after ten minutes of blocked loop (frozen network: %s) a probe comes first',
    async (frozen) => {
      const world = newWorld();
      const { adapter, pingTimes } = tap(world);
      await openAndKnown(world, { adapter });
      await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL));
      const before = pingTimes().length;
      await world.sleep(600_000, frozen);
      expect(pingTimes().length - before).toBe(1);
      await world.run(INTERVAL);
      expect(dials(world)).toBe(1);
    },
  );

  it('T6: a dead link is judged by one probe of 5 s after the sleep, asked once', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    const { told } = await openAndKnown(world, { adapter });
    world.server.last.silence();
    await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL));
    const before = pingTimes().length;
    await world.sleep(600_000);
    const wokenAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - wokenAt).toBe(5_000);
    expect(pingTimes().length - before).toBe(1);
  });

  it("T6: a probe's deadline is final, however late", async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.server.last.silence();
    await world.run(INTERVAL - ((world.now - LATENCY) % INTERVAL));
    await world.sleep(600_000);
    await world.sleep(600_000);
    await world.run(0);
    expect(told.closes).toHaveLength(1);
  });

  it('T6: the answer to a probe is read before the verdict, however late', async () => {
    const world = newWorld();
    await openAndKnown(world);
    await world.sleep(600_000); // a probe goes out
    await world.run(LATENCY + 1); // and its answer is on the way
    await world.sleep(600_000);
    await world.run(INTERVAL);
    expect(dials(world)).toBe(1);
  });

  it('T6: a probe is no longer than the timeout', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world, { heartbeat: { interval: 3_000, timeout: 400 } });
    world.server.last.silence();
    await world.sleep(60_000);
    const wokenAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - wokenAt).toBe(400);
  });

  it('T7: ten hidden minutes with timers at once a minute: no redial, and one probe when shown', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    await openAndKnown(world, { adapter });
    world.throttleTimers(60_000);
    await world.run(600_000);
    expect(dials(world)).toBe(1);
    world.throttleTimers(1);
    await world.run(2_000);
    const before = pingTimes().length;
    world.hint('visible');
    world.hint('online');
    await world.run(LATENCY * 2);
    expect(pingTimes().length - before).toBe(1);
    await world.run(60_000);
    expect(dials(world)).toBe(1);
  });

  it('T7: a link that died while hidden is found within 5 s of being shown', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.throttleTimers(60_000);
    await world.run(130_000);
    world.server.last.silence();
    world.throttleTimers(1);
    world.hint('visible');
    const shownAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - shownAt).toBeLessThanOrEqual(5_000);
  });
});

describe('hints', () => {
  it.each(['online', 'offline', 'visible'] as const)(
    'T48: %s on a working link is a question, not a verdict',
    async (hint) => {
      const world = newWorld();
      const { adapter, pingTimes } = tap(world);
      await openAndKnown(world, { adapter });
      const before = pingTimes().length;
      world.hint(hint);
      expect(pingTimes().length - before).toBe(1);
      await world.run(20_000);
      expect(dials(world)).toBe(1);
    },
  );

  it.each(['online', 'offline', 'visible'] as const)('T48: %s on a dead link finds it out in 5 s', async (hint) => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.server.last.silence();
    world.hint(hint);
    const hintedAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - hintedAt).toBe(5_000);
  });

  it('T48: a bunch of hints is one question', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    await openAndKnown(world, { adapter });
    const before = pingTimes().length;
    for (const hint of ['visible', 'online', 'offline', 'visible'] as const) world.hint(hint);
    await world.run(500);
    world.hint('online');
    await world.run(500);
    expect(pingTimes().length - before).toBe(1);
  });

  it('T48: hints in a row do not put off the verdict', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.server.last.silence();
    const silencedAt = world.now;
    for (let i = 0; i < 20 && told.closes.length === 0; i++) {
      world.hint('online');
      await world.run(2_000);
    }
    expect(told.closes).toHaveLength(1);
    expect(world.now - silencedAt).toBeLessThanOrEqual(6_000);
  });

  it('T48: a hint after a sign of life asks anew', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world, { heartbeat: { expectReply: true } });
    world.server.reply = undefined;
    world.hint('visible');
    await world.run(100);
    world.server.last.send('I am here');
    await world.run(1_900);
    world.server.last.silence();
    world.hint('offline');
    const hintedAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - hintedAt).toBe(5_000);
  });
});

describe('a peer that does not reply', () => {
  it('T8: is never judged by its silence, as long as it has never replied', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { told } = await openClient(world);
    await world.run(3_600_000);
    expect(dials(world)).toBe(1);
    expect(told.closes).toEqual([]);
    expect(world.server.last.pings).toBe(119);
  });

  it('T8: two silent sockets in a row disarm us with one coded warning, and the third is kept', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.server.reply = undefined; // rolled back
    world.server.last.cut();
    await world.run(3_600_000);
    const dead = told.closes.filter(({ cause }) => cause !== undefined);
    expect(dead).toHaveLength(2);
    expect(told.errors.map(({ code }) => code)).toEqual(['HEARTBEAT_UNANSWERED']);
    expect(dials(world)).toBe(4);
  });

  it('T8: the next reply arms us again', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.server.reply = undefined;
    world.server.last.cut();
    await world.runUntil(() => told.errors.length > 0);
    await world.runUntil(() => told.opens.length === 4);
    world.server.reply = 'pong';
    const measured = told.pongs.length;
    await world.runUntil(() => told.pongs.length > measured);
    const closes = told.closes.length;
    world.server.last.silence();
    await world.run(INTERVAL + TIMEOUT);
    expect(told.closes).toHaveLength(closes + 1);
    expect(told.errors).toHaveLength(1);
  });

  it('T8: a socket that did reply before it died does not count against the belief', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    for (let round = 0; round < 4; round++) {
      const measured = told.pongs.length;
      await world.runUntil(() => told.pongs.length > measured);
      world.server.last.silence();
      await world.runUntil(() => told.opens.length === round + 2);
    }
    expect(told.errors).toEqual([]);
  });

  it('T8: expectReply: true insists, for ever', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { told } = await openClient(world, { heartbeat: { expectReply: true } });
    await world.run(10 * (INTERVAL + TIMEOUT) + 1_000);
    expect(told.closes.length).toBe(10);
    expect(told.closes.every(({ cause }) => (cause as { code: string }).code === 'HEARTBEAT_TIMEOUT')).toBe(true);
  });

  it('expectReply: false never judges, even one that used to reply', async () => {
    const world = newWorld();
    await openAndKnown(world, { heartbeat: { expectReply: false } });
    world.server.last.silence();
    await world.run(3_600_000);
    expect(dials(world)).toBe(1);
  });
});

describe('a peer that dislikes the ping', () => {
  /** graphql-ws, for one. */
  function dislikePings(world: World): void {
    world.server.ping = 'nothing is a ping here';
    world.server.onMessage = (connection, data) => {
      if (data === 'ping') connection.close(4400, 'invalid message');
    };
  }

  it('HEARTBEAT_REFUSED: two sockets closed upon their first ping turn pings off, with one coded warning', async () => {
    const world = newWorld();
    dislikePings(world);
    const { client, told } = await openClient(world);
    await world.run(3_600_000);
    expect(told.errors.map(({ code }) => code)).toEqual(['HEARTBEAT_REFUSED']);
    expect(told.closes.map(({ code }) => code)).toEqual([4400, 4400]);
    expect(told.ends).toEqual([]);
    expect(client.status).toBe('open');
    expect(dials(world)).toBe(3);
  });

  it('after that, 4400 is terminal again', async () => {
    const world = newWorld();
    dislikePings(world);
    const { told } = await openClient(world);
    await world.run(600_000);
    world.server.last.close(4400, 'now I mean you');
    await world.run(100);
    expect(told.ends).toEqual(['refused']);
  });

  it('a close later than the timeout after the first ping is meant as it is', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { told } = await openClient(world);
    await world.run(INTERVAL + TIMEOUT + 1);
    world.server.last.close(4400, 'no');
    await world.run(100);
    expect(told.ends).toEqual(['refused']);
  });

  it('a peer that has replied once has nothing against pings', async () => {
    const world = newWorld();
    const { told } = await openClient(world);
    await world.run(INTERVAL + 100);
    world.server.last.close(4400, 'no');
    await world.run(100);
    expect(told.ends).toEqual(['refused']);
  });
});

describe('pings that prove receipt', () => {
  it('one follows 1 s after the first unproven message, and at most one per 5 s', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    const { client } = await openAndKnown(world, { adapter, heartbeat: { interval: 1_000_000 / 3 } });
    const begin = world.now;
    const before = pingTimes().length;
    for (let i = 0; i < 200; i++) {
      client.send(`m${i}`);
      await world.run(100);
    }
    const times = pingTimes()
      .slice(before)
      .map((at) => at - begin);
    expect(times).toEqual([1_000, 6_000, 11_000, 16_000]);
  });

  it('there is none before a first reply, and none when nothing was sent', async () => {
    const world = newWorld();
    world.server.reply = undefined;
    const { adapter, pingTimes } = tap(world);
    const { client } = await openClient(world, { adapter });
    client.send('unproven');
    await world.run(INTERVAL - 1_000);
    expect(pingTimes()).toEqual([]);
    const quiet = newWorld();
    const other = tap(quiet);
    await openAndKnown(quiet, { adapter: other.adapter });
    expect(other.pingTimes()).toHaveLength(1);
  });

  it('the first reply ever makes one follow for what was sent before we knew', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    const { client } = await openClient(world, { adapter });
    await world.run(INTERVAL);
    client.send('behind the first ping');
    await world.run(5_000 + LATENCY);
    expect(pingTimes()).toEqual([INTERVAL + LATENCY, INTERVAL + LATENCY + 5_000]);
  });
});

describe('a host that suspends us', () => {
  it('an open socket stays open with its deadlines stopped, and resume asks', async () => {
    const world = newWorld();
    const { adapter, pingTimes } = tap(world);
    const { client } = await openAndKnown(world, { adapter });
    world.hint('suspend');
    expect(world.timers).toBe(0);
    const before = pingTimes().length;
    await world.run(3_600_000);
    expect(client.status).toBe('open');
    world.hint('resume');
    expect(pingTimes().length - before).toBe(1);
    await world.run(60_000);
    expect(dials(world)).toBe(1);
  });

  it('a link that died meanwhile is found 5 s after resume', async () => {
    const world = newWorld();
    const { told } = await openAndKnown(world);
    world.hint('suspend');
    world.server.last.silence();
    await world.run(3_600_000);
    world.hint('resume');
    const resumedAt = world.now;
    await world.runUntil(() => told.closes.length > 0);
    expect(world.now - resumedAt).toBe(5_000);
  });

  it('a loss becomes suspended, without a timer; resume dials at once', async () => {
    const world = newWorld();
    const { client, told } = await openAndKnown(world);
    world.hint('suspend');
    world.server.last.cut();
    await world.run(10);
    expect(client.status).toBe('suspended');
    expect(told.closes).toMatchObject([{ willReconnect: true, delay: undefined }]);
    expect(world.timers).toBe(0);
    await world.run(3_600_000);
    world.hint('visible'); // is not resume
    expect(dials(world)).toBe(1);
    world.hint('resume');
    expect(dials(world)).toBe(2);
  });
});

describe('a wall clock that is set', () => {
  /** A runtime whose clock is made of the wall clock, as on most of ours. */
  function onTheWall(world: World) {
    const inner = world.adapter();
    let skew = 1_700_000_000_000;
    const clock = createClock({
      read: () => world.now + skew,
      setTimeout: (fn, ms) => inner.wake(world.now + ms, fn),
      clearTimeout: (cancel) => (cancel as () => void)(),
    });
    return { adapter: { ...inner, ...clock }, set: (ms: number) => void (skew += ms) };
  }

  it.each([-3_600_000, 3_600_000, -1_000, 15_000])('T52: by %i ms: a healthy link is kept', async (step) => {
    const world = newWorld();
    const { adapter, set } = onTheWall(world);
    await openAndKnown(world, { adapter });
    for (let i = 0; i < 5; i++) {
      set(step);
      await world.run(47_000);
    }
    expect(dials(world)).toBe(1);
  });

  /** A step forward looks like a sleep, which gets one probe. */
  it.each([
    [-3_600_000, INTERVAL + TIMEOUT],
    [-1_000, INTERVAL + TIMEOUT],
    [9_000, INTERVAL + TIMEOUT],
    [15_000, INTERVAL + TIMEOUT + 5_000],
    [3_600_000, INTERVAL + TIMEOUT + 5_000],
  ])('T52: by %i ms: a dead link is noticed within %i ms', async (step, bound) => {
    for (const offset of [1, 14_000, 29_000, 34_000]) {
      const world = newWorld();
      const { adapter, set } = onTheWall(world);
      const { told } = newClient(world, { adapter });
      await world.runUntil(() => told.pongs.length > 0);
      world.server.last.silence();
      const silencedAt = world.now;
      await world.run(offset);
      set(step);
      await world.runUntil(() => told.closes.length > 0);
      expect(world.now - silencedAt).toBeLessThanOrEqual(bound);
    }
  });
});
