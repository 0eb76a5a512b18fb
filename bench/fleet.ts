// What does a session cost a server and its Redis, and what does it cost when a server goes and all come back at once?
//
// Servers, Redis and clients are processes of their own. Each server is started for one measurement, so that none holds what
// another has left. The figures are inputs: docs/scaling.md, "What a fleet needs", does the sums.

import { between, startWatchedRedis, type Redis, type RedisUsage } from './fleet/redis.ts';
import { machine, machineLine } from './machine.ts';
import { startPart, type Part } from './processes.ts';
import { table } from './table.ts';
import type { ClientOrder, ClientUsage, Load, ServerOrder, Usage } from './fleet/orders.ts';

const SESSIONS = Number(process.argv.find((arg) => /^\d+$/.test(arg)) ?? 10_000);
/** Opened and ended before anything is measured, for what a server loads and compiles once. */
const WARM_UP = 500;
/** Of those that are counted without a socket, so many have one at a time. */
const AT_ONCE = 250;
/** Milliseconds from one touch of all sessions to the next: a server's default. What is measured holds exactly one of each. */
const BEAT = 30_000;
const SECONDS = 10;
const BURST = 32;
/** A second, so that in `SECONDS` each session gets one at most. */
const PER_SECOND = Math.floor(Math.min(1_000, SESSIONS / SECONDS) / BURST) * BURST;
const LOADS: Readonly<Record<string, Load>> = {
  'one by one': { messages: PER_SECOND * SECONDS, perSecond: PER_SECOND, burst: 1, bytes: 100 },
  [`in bursts of ${BURST}`]: { messages: PER_SECOND * SECONDS, perSecond: PER_SECOND, burst: BURST, bytes: 100 },
};
/** Milliseconds over which a server that is drained sends its clients away. */
const DRAIN = 20_000;
/** Longer than an acknowledgement is put off. */
const SETTLE = 1_000;

type Server = Part<ServerOrder>;
type Clients = Part<ClientOrder>;

type Row = readonly [what: string, value: string];
const rows: Row[] = [];
const figures: Record<string, unknown> = {};

await measureMemory('a plain peer, connected', 'plain', SESSIONS);
await measureMemory('a session in the memory store, connected', 'memory', SESSIONS);
await measureMemory('a session in the memory store, without a socket', 'memory', AT_ONCE);
await runInMemory();
await onRedis();

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ benchmark: 'fleet', machine: machine(), sessions: SESSIONS, figures }, null, 2));
} else print();

// ---- memory

/** Of each of `SESSIONS`, of which `atOnce` have a socket at a time; if that is all, they keep it. */
async function measureMemory(what: string, kind: string, atOnce: number): Promise<void> {
  console.error(`memory: ${what}`);
  const server = await startServer(kind);
  const clients = await startClients();
  await open(clients, urlOf(server), WARM_UP, WARM_UP, kind === 'plain');
  await clients.ask({ name: 'end' });
  await pause(SETTLE);
  const before = await usageOf(server);
  await open(clients, urlOf(server), SESSIONS, atOnce, kind === 'plain');
  await pause(SETTLE);
  noteMemory(what, before, await usageOf(server));
  await Promise.all([clients.end(), server.end()]);
}

function noteMemory(what: string, before: Usage, after: Usage): void {
  note(`memory of ${what}`, (after.rss - before.rss) / SESSIONS, kilobytes);
  note(`memory of ${what}, in the heap`, (after.heap - before.heap) / SESSIONS, kilobytes);
}

// ---- messages

async function runInMemory(): Promise<void> {
  console.error('messages: memory store');
  const server = await startServer('memory');
  const clients = await startClients();
  await open(clients, urlOf(server), SESSIONS, SESSIONS);
  await measureLife('memory store', server, clients, undefined);
  await Promise.all([clients.end(), server.end()]);
}

/** An idle while, then messages either way. Each takes as long, so that what is idle can be taken off. */
async function measureLife(where: string, server: Server, clients: Clients, redis: Redis | undefined): Promise<void> {
  await pause(BEAT); // the first touch also tells Redis the scripts
  const idle = await spent(server, redis, () => pause(BEAT));
  const perThousand = (cpu: number) => cpu / (BEAT / 1e3) / (SESSIONS / 1e3);
  note(`${where}: idle, processor time of the server for 1 000 sessions`, perThousand(idle.server), msPerSecond);
  if (idle.redis) {
    note(`${where}: idle, processor time of Redis for 1 000 sessions`, perThousand(idle.redis.cpu), msPerSecond);
    noteRedis(`${where}: idle`, idle.redis, SESSIONS, `a session in ${BEAT / 1e3} s`);
  }
  for (const [how, load] of Object.entries(LOADS)) {
    for (const direction of ['client to server', 'server to client'] as const) {
      const cost = await spent(server, redis, async () => {
        const over = pause(BEAT);
        const before = await arrived(direction, server, clients);
        await (direction === 'client to server' ? clients : server).ask({ name: 'send', load });
        await over;
        const count = (await arrived(direction, server, clients)) - before;
        if (count !== load.messages) throw new Error(`${count} of ${load.messages} arrived`);
      });
      const what = `${where}: ${direction}, ${how}`;
      const perMessages = (cpu: number) => (cpu / load.messages) * 1e3;
      note(`${what}, processor time of the server for 1 000 messages`, perMessages(cost.server - idle.server), ms);
      if (!cost.redis || !idle.redis) continue;
      const more = between(idle.redis, cost.redis);
      note(`${what}, processor time of Redis for 1 000 messages`, perMessages(more.cpu), ms);
      noteRedis(what, more, load.messages, 'a message');
    }
  }
}

function noteRedis(what: string, { calls, bytesIn, bytesOut }: RedisUsage, count: number, one: string): void {
  const scripts = calls['evalsha'] ?? 0;
  const all = Object.values(calls).reduce((sum, each) => sum + each, 0);
  note(`${what}, scripts for ${one}`, scripts / count, plain);
  note(`${what}, commands in them`, (all - scripts) / count, plain);
  note(`${what}, bytes to Redis for ${one}`, bytesIn / count, bytes);
  note(`${what}, bytes from Redis for ${one}`, bytesOut / count, bytes);
}

async function arrived(direction: string, server: Server, clients: Clients): Promise<number> {
  if (direction === 'client to server') return (await glanceAt(server)).handled;
  return ((await clients.ask({ name: 'usage' })) as ClientUsage).received;
}

// ---- Redis

async function onRedis(): Promise<void> {
  console.error('messages: Redis');
  const redis = await startWatchedRedis();
  note('Redis version', redis.version, String);
  const clients = await startClients();
  let server = await startServer(redis.url);
  await open(clients, urlOf(server), WARM_UP, WARM_UP);
  await clients.ask({ name: 'end' });
  await pause(SETTLE);
  const before = { server: await usageOf(server), redis: await redis.usage() };
  const began = performance.now();
  await open(clients, urlOf(server), SESSIONS, SESSIONS);
  note('Redis: opening them all took', performance.now() - began, seconds);
  await pause(SETTLE);
  const opened = between(before.redis, await redis.usage());
  noteMemory('a session on Redis, connected, in the server', before.server, await usageOf(server));
  note('memory of a session on Redis, in Redis', opened.memory / SESSIONS, bytes);
  note('Redis: an open, processor time of Redis for 1 000', (opened.cpu / SESSIONS) * 1e3, ms);
  noteRedis('Redis: an open', opened, SESSIONS, 'an open');
  await measureLife('Redis', server, clients, redis);

  console.error('mass resume: killed');
  server = await massResume('killed', server, clients, redis);
  console.error('mass resume: drained');
  server = await massResume('drained', server, clients, redis);
  await Promise.all([clients.end(), server.end()]);
  await redis.close();
}

/** Its clients go to another server, which is there and waits. Returns that one. */
async function massResume(how: 'killed' | 'drained', server: Server, clients: Clients, redis: Redis): Promise<Server> {
  const next = await startServer(redis.url);
  const before = {
    next: await glanceAt(next),
    old: await glanceAt(server),
    redis: await redis.usage(),
  };
  const began = performance.now();
  const back = clients.ask({ name: 'resume', url: urlOf(next) });
  await (how === 'killed' ? server.kill() : server.ask({ name: 'drain', over: DRAIN }));
  await back;
  note(`${how}: until all ${SESSIONS} are back`, performance.now() - began, seconds);
  const cost = between(before.redis, await redis.usage());
  note(
    `${how}: processor time of the next server for 1 000`,
    (((await glanceAt(next)).cpu - before.next.cpu) / SESSIONS) * 1e3,
    ms,
  );
  if (how === 'drained') {
    const old = (await glanceAt(server)).cpu - before.old.cpu;
    note(`${how}: processor time of the server that goes for 1 000`, (old / SESSIONS) * 1e3, ms);
    await server.end();
  }
  note(`${how}: processor time of Redis for 1 000`, (cost.cpu / SESSIONS) * 1e3, ms);
  noteRedis(how, cost, SESSIONS, 'a resume');
  return next;
}

/** Milliseconds of the server's processor time, and all that Redis did. */
async function spent(
  server: Server,
  redis: Redis | undefined,
  during: () => Promise<void>,
): Promise<{ readonly server: number; readonly redis: RedisUsage | undefined }> {
  const before = { server: await glanceAt(server), redis: await redis?.usage() };
  await during();
  const after = await redis?.usage();
  return {
    redis: before.redis && after && between(before.redis, after),
    server: (await glanceAt(server)).cpu - before.server.cpu,
  };
}

// ---- processes

function startServer(kind: string): Promise<Server> {
  return startPart('fleet/server', [kind], ['--expose-gc']);
}

function startClients(): Promise<Clients> {
  return startPart('fleet/clients', []);
}

function urlOf({ greeting }: Server): string {
  return `ws://127.0.0.1:${(greeting as { readonly port: number }).port}`;
}

async function open(clients: Clients, url: string, count: number, atOnce: number, plain = false): Promise<void> {
  await clients.ask({ name: 'open', url, count, atOnce, plain });
}

async function usageOf(server: Server): Promise<Usage> {
  return (await server.ask({ name: 'usage' })) as Usage;
}

async function glanceAt(server: Server): Promise<Usage> {
  return (await server.ask({ name: 'glance' })) as Usage;
}

/** The measurement is of elapsed time, so elapse it must. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// ---- telling

function note<T>(what: string, value: T, shown: (value: T) => string): void {
  figures[what] = value;
  rows.push([what, shown(value)]);
  console.error(`  ${what}: ${shown(value)}`);
}

function print(): void {
  console.log(`${machineLine(machine())}; ${SESSIONS} sessions, messages of 100 B\n`);
  console.log(table(['what', 'measured'], rows, new Set([1])));
}

function plain(value: number): string {
  return value.toFixed(2);
}

function bytes(value: number): string {
  return `${value.toFixed(0)} B`;
}

function kilobytes(value: number): string {
  return `${(value / 1024).toFixed(1)} KiB`;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function msPerSecond(value: number): string {
  return `${value.toFixed(2)} ms/s`;
}

function seconds(value: number): string {
  return `${(value / 1e3).toFixed(1)} s`;
}
