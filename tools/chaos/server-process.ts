// What does a server of the chaos run do? It notes the effects of messages in Redis, and sends numbers to every session there
// is, whoever serves it.

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { redisStore } from '@holdfast/redis';
import { createServer, type SessionMessage } from '@holdfast/server';
import { givenToChild, offer } from './in-child.ts';
import { createDiary, type ServerNote } from './diary.ts';
import { KEYS, effectOf } from './effects.ts';
import { readPayload, writePayload } from './payload.ts';

export interface ServerHow {
  /** 0 for the first time: any port. */
  readonly port: number;
  /** Which server, and which of its lives. */
  readonly writer: string;
  readonly redis: string;
  readonly diary: string;
  /** Of the pages that may come in. */
  readonly origin: string;
  /** Messages a second to each session, of this server. */
  readonly rate: number;
}

export interface ServerFunctions {
  port(): number;
  /** In order: clients are asked to come back elsewhere. Resolves with how many there were, when all are gone. */
  drain(over: number): Promise<number>;
  /** Sends nothing more; resolves when every `send` has answered. */
  hush(): Promise<void>;
  close(): Promise<void>;
}

/** How often messages are sent, and how often others' sessions are looked for, in milliseconds. */
const TICK = 25;
const LOOK = 500;
const MOST_CAUGHT_UP = 1_000;
/** Until a handler tries Redis again. */
const AGAIN = 50;

const { port, writer, redis, diary, origin, rate } = givenToChild<ServerHow>();
const write = createDiary<ServerNote>(diary);
const client = createClient({ url: redis, disableOfflineQueue: true, socket: { reconnectStrategy: AGAIN } });
client.on('error', () => {}); // whoever asks hears of it
client.connect().catch(() => {});

const store = redisStore({ url: redis, timeout: 2_000 });
const server = createServer({
  port,
  host: '127.0.0.1',
  origins: [origin],
  heartbeat: { interval: 1_000, timeout: 1_000 },
  budget: false, // a crowd that comes back at once after two outages in a row is what we want
  sessions: {
    store,
    takeoverTimeout: 2_000,
    authorize: ({ auth }) => typeof auth === 'string' && auth,
    handle,
  },
});

server
  .on('session', (session, { resumed }) => {
    const { sid, principal } = session;
    write({ what: 'session', sid, client: principal, resumed });
    known.add(sid);
    void untilDone(() => client.sAdd(KEYS.sids, sid));
    if (listening.has(session)) return;
    listening.add(session);
    session.on('ended', ({ reason }) => write({ what: 'ended', sid, reason }));
  })
  .on('error', ({ code, message }) => write({ what: 'error', code, message }));

const listening = new WeakSet<object>();

// ---- in

/** Takes its time, now and then a lot; and now and then commits by itself. */
async function handle(message: SessionMessage): Promise<void> {
  const { sid, seq, data } = message;
  const [from = 'damaged', number] = readPayload(data) ?? [];
  const n = Number(number ?? Number.NaN);
  write({ what: 'handling', sid, seq, client: from, n });
  if (Math.random() < 0.3) await sleep(Math.random() < 0.02 ? 500 : Math.random() * 10);
  await untilDone(() => client.rPush(KEYS.effects(sid), effectOf({ seq, n, writer })));
  if (seq % 20 === 0) await message.commit();
  write({ what: 'handled', sid, seq });
}

/** A command whose answer got lost is given again: effects are told apart by their names. */
async function untilDone(command: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await command();
      return;
    } catch {
      await sleep(AGAIN);
    }
  }
}

// ---- out

const known = new Set<string>();
const counts = new Map<string, number>();
const pending = new Set<Promise<void>>();
let owed = 0;
let ticked = performance.now();

/** After a pause it catches up on a second of it at most: a process that stood still has nothing to say about that time. */
function tick(): void {
  const sids = [...known];
  const now = performance.now();
  owed += (sids.length * rate * Math.min(now - ticked, MOST_CAUGHT_UP)) / 1_000;
  ticked = now;
  for (; owed >= 1 && sids.length > 0; owed--) {
    const sent = send(sids[Math.floor(Math.random() * sids.length)]!);
    pending.add(sent);
    void sent.then(() => pending.delete(sent));
  }
}

async function send(sid: string): Promise<void> {
  const k = (counts.get(sid) ?? 0) + 1;
  counts.set(sid, k);
  const payload = writePayload([sid, writer, k], k);
  write({ what: 'sending', sid, k, bytes: Buffer.byteLength(payload) });
  const what = await server.sessions.send(sid, payload).then(
    (isStored) => (isStored ? 'stored' : 'refused'),
    () => 'unknown' as const,
  );
  write({ what, sid, k });
  if (what === 'refused') known.delete(sid); // full or gone: until the next look
}

const ticking = setInterval(tick, TICK);
const looking = setInterval(() => {
  client.sMembers(KEYS.sids).then(
    (sids) => sids.forEach((sid) => known.add(sid)),
    () => {},
  );
}, LOOK);

async function hush(): Promise<void> {
  clearInterval(ticking);
  clearInterval(looking);
  while (pending.size > 0) await Promise.all(pending);
}

async function leave(): Promise<void> {
  await hush();
  await store.close();
  client.destroy();
}

const functions: ServerFunctions = {
  port: () => server.port!,
  async drain(over) {
    const count = await server.drain({ over, timeout: 1_000 });
    await leave();
    return count;
  },
  hush,
  async close() {
    await server.close();
    await leave();
  },
};
void server.listening().then(() => offer(functions));
