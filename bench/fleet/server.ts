// One server of a fleet, as it comes. Arguments: `plain`, `memory`, or the address of a Redis.

import { redisStore } from '@holdfast/redis';
import { createServer, memoryStore, type Session } from '@holdfast/server';
import { pour, type ServerOrder, type Usage } from './orders.ts';

if (!import.meta.resolve('@holdfast/server').endsWith('/dist/index.mjs')) throw new Error('not the built server');

const MANY = 1_000_000;

const [kind] = process.argv.slice(2) as [string];
const sessions = new Map<string, Session>();
let handled = 0;

const server = createServer({
  port: 0,
  host: '127.0.0.1',
  maxPeers: MANY,
  ...(kind !== 'plain' && {
    sessions: {
      store: kind === 'memory' ? memoryStore() : redisStore({ url: kind }),
      authorize: ({ auth }) => String(auth),
      handle: () => {
        handled++;
      },
      maxSessions: MANY,
    },
  }),
});
server.on('session', (session) => {
  if (sessions.has(session.sid)) return;
  sessions.set(session.sid, session);
  session.on('ended', () => sessions.delete(session.sid));
});
server.on('error', (error) => console.error(error.message));

process.on('message', (order: ServerOrder) => {
  switch (order.name) {
    case 'usage':
      for (let i = 0; i < 3; i++) global.gc!();
      return tell(usage());
    case 'glance':
      return tell(usage());
    case 'send': {
      const all = [...sessions.values()];
      const message = 'x'.repeat(order.load.bytes);
      return pour(
        order.load,
        (turn) => void all[turn % all.length]!.send(message).then(mustBe),
        () => tell('done'),
      );
    }
    case 'drain':
      void server.drain({ over: order.over }).then(() => tell('done'));
  }
});
process.on('disconnect', () => process.exit());

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external, cpu: (user + system) / 1e3, handled };
}

function mustBe(isStored: boolean): void {
  if (!isStored) throw new Error('a message was refused');
}

function tell(what: unknown): void {
  process.send!(what);
}

await server.listening();
tell({ port: server.port });
