// The same SIGKILL, with a session: is everything there, once and in order, in both directions?

import { existsSync } from 'node:fs';
import { setInterval, setTimeout } from 'node:timers/promises';
import { connect } from '@holdfast/node';
import { redisStore } from '@holdfast/redis';
import { createServer, memoryStore } from '@holdfast/server';
import { session } from '@holdfast/session';
import { createFaultProxy } from '@holdfast/testing';
import {
  COUNT,
  EVERY,
  RECONNECT,
  STORY,
  createMortalServer,
  readNumbers,
  reckon,
  sendThrough,
  write,
} from '../stage/outage.mjs';
import { startRedis } from '../stage/redis.mjs';

export const title = 'The same, in a session';

/** How long what was stored may take to arrive when all is well again, in milliseconds. */
const PATIENCE = 5_000;

export function serve({ port = 0, log, redis }) {
  const store = redis ? redisStore({ url: redis }) : memoryStore();
  let again = 0;
  let tellSid;
  const sid = new Promise((resolve) => (tellSid = resolve));
  const server = createServer({
    port,
    host: '127.0.0.1',
    sessions: {
      store,
      authorize: ({ auth }) => auth === 'ada' && 'ada',
      handle(message) {
        // One that is killed after the handler and before the commit leaves this message to the next, with the same seq: the
        // name by which to know it again. There is one session here, whose seqs are the numbers.
        if (existsSync(log) && readNumbers(log).includes(message.seq)) again++;
        else write(log, message.data);
      },
    },
  });
  server.once('session', (opened) => tellSid(opened.sid));
  server.once('close', () => store.close?.());
  return {
    server,
    sid: () => sid,
    again: () => again,
    /** From any node, whoever serves the session. */
    tell: (to, number) => server.sessions.send(to, number),
  };
}

export async function run(stage) {
  const log = stage.temporaryFile('received');
  const redis = await startRedis();
  const cast = redis ? await castOfServers(stage.closeAtEnd(redis), stage, log) : await castOfLinks(stage, log);

  const client = stage.closeAtEnd(
    connect(cast.url, { session: session({ auth: 'ada' }), reconnect: RECONNECT, heartbeat: { interval: 1_000 } }),
  );
  const received = [];
  const sessions = [];
  const losses = [];
  let heardAll;
  const all = new Promise((resolve) => (heardAll = resolve));
  client.on('message', (number) => {
    if (received.push(Number(number)) === COUNT) heardAll();
  });
  client.on('session', ({ resumed }) => sessions.push(resumed));
  client.on('lost', ({ reason }) => losses.push(reason));

  const [told, accepted] = await Promise.all([sendThrough(cast.outage, client), count(cast)]);
  await Promise.race([all, setTimeout(PATIENCE, undefined, { ref: false })]);
  await client.close(); // both ends say so, and nothing can come any more
  const again = await cast.witness().ask('again');

  const up = reckon(readNumbers(log));
  const down = reckon(received);
  const { sent, queued, refused } = told;
  stage.say(`the same, with a session kept in ${cast.place}: ${cast.story}`);
  stage.say(`meanwhile ${cast.teller} sends as many to the session`);
  stage.table(
    ['', 'sent', 'arrived', 'lost', 'duplicated', 'in order'],
    ['client to server', sent + queued, up.delivered, up.lost, up.duplicated, up.isInOrder ? 'yes' : 'no'],
    ['server to client', accepted, down.delivered, down.lost, down.duplicated, down.isInOrder ? 'yes' : 'no'],
  );
  const rowOf = (way, { lost, duplicated, isInOrder }) => ({
    promise: `${way}: nothing lost, nothing twice, in order`,
    found: `${lost} lost, ${duplicated} twice, ${isInOrder ? 'in order' : 'out of order'}`,
    held: lost === 0 && duplicated === 0 && isInOrder,
  });
  return {
    summary: `${up.lost + down.lost} lost, ${up.duplicated + down.duplicated} twice of ${COUNT} each way; ${cast.place}`,
    figures: { ...told, store: cast.store, up, down, again, sessions },
    rows: [
      {
        promise: 'every send was accepted, at both ends',
        found: `${sent} sent, ${queued} queued, ${refused} refused; ${accepted} stored`,
        held: sent + queued === COUNT && queued > 0 && accepted === COUNT,
      },
      rowOf('client to server', up),
      rowOf('server to client', down),
      {
        promise: 'the session was resumed and never lost',
        found: `${sessions.filter(Boolean).length} resumes, ${losses.length} lost`,
        held: sessions[0] === false && sessions.length > 1 && !sessions.slice(1).includes(false) && losses.length === 0,
      },
    ],
  };
}

/** With a Redis: the server is killed, another process takes its place, and a third sends to the client all the while. */
async function castOfServers({ url: redis }, stage, log) {
  const { first, second, outage } = await createMortalServer(stage, { log, redis });
  return {
    store: 'redis',
    place: 'Redis',
    story: STORY,
    url: first.url(),
    outage,
    first,
    witness: second,
    sender: await stage.serve({ redis }),
    teller: 'a third process, to which no client is connected,',
  };
}

/** Without: memory dies with its process, so it is the link that is silent, is cut, and stays away. */
async function castOfLinks(stage, log) {
  const server = await stage.prepare();
  await server.begin({ log });
  const proxy = stage.closeAtEnd(await createFaultProxy({ port: server.port }));
  return {
    store: 'memory',
    place: 'memory (no redis-server on the PATH)',
    story: STORY.replace('the server hangs', 'the link hangs').replace('is killed', 'is cut'),
    url: proxy.url(),
    outage: {
      hang: () => proxy.blackhole(),
      die() {
        proxy.refuse();
        proxy.cut();
      },
      comeBack: () => proxy.pass(),
    },
    first: server,
    witness: () => server,
    sender: server,
    teller: 'the server',
  };
}

/** Sends the numbers the other way. Resolves with how many were stored. */
async function count({ first, sender }) {
  const sid = await first.ask('sid');
  let accepted = 0;
  let number = 0;
  for await (const _ of setInterval(EVERY)) {
    if (await sender.ask('tell', sid, String(++number))) accepted++;
    if (number === COUNT) return accepted;
  }
}
