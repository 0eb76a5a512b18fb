// How fast is a session, beside a plain socket of the same client and the same server?
//
// Each contender has two processes of its own, one for each end, and a link on loopback between them; one link works at a
// time. In each round both take their turn, in an order that changes, and the ratio is that of two turns side by side. Then
// a link of 50 ms each way, on which a session can have no more under way than its window.

import { createFaultProxy } from '@holdfast/testing';
import { machine, machineLine } from './machine.ts';
import { startPart, type Part } from './processes.ts';
import {
  PAYLOADS,
  WINDOW,
  type Answer,
  type Contender,
  type Order,
  type Payload,
  type Signal,
} from './session/ends.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { table } from './table.ts';

const DIRECTIONS = ['client to server', 'server to client', 'both at once'] as const;
type Direction = (typeof DIRECTIONS)[number];

interface Figure {
  readonly payload: string;
  readonly direction: Direction;
  /** Messages a second, of both directions together. */
  readonly rate: Readonly<Record<Contender, Spread>>;
  /** Processor time of both ends, in microseconds per message. */
  readonly cpu: Readonly<Record<Contender, Spread>>;
  /** Of the session's rate to the plain one's right beside it. */
  readonly ratio: Spread;
}

interface FarFigure {
  readonly direction: Direction;
  /** Bytes of messages a second. */
  readonly rate: Spread;
  /** What a window for each round trip comes to. */
  readonly bound: number;
}

const LAUNCHES = 2;
const ROUNDS = 5;
/** Rounds that are not measured, for the compiler. */
const WARM_UP = 2;
const MESSAGES = 20_000;
/** Between two turns, in milliseconds: longer than any acknowledgement is put off, so that nothing is owed to the last one. */
const PAUSE = 300;

const [PROMISED] = PAYLOADS as [Payload];
const SHARE = 0.6;
/** Of a window for each round trip, over a link. */
const FAR_SHARE = 0.8;

/** Milliseconds each way. */
const DELAY = 50;
const FAR_ROUNDS = 5;
const FAR_MESSAGES = 20_000;
/** Microsoft's stateful reconnect for SignalR, .NET 8 to 10: what it buffers, and how long its client puts off an ack. */
const SIGNALR = { bytes: 100_000, ackDelay: 1_000 };

/** One launch of the promise alone: for a look. */
const isQuick = process.argv.includes('--quick');
const launches = isQuick ? 1 : LAUNCHES;
const payloads = isQuick ? [PROMISED] : PAYLOADS;
const figures = await measure();
const far = await measureFar();
const nearVerdicts = DIRECTIONS.map((direction) => {
  const { ratio } = figures.find((f) => f.payload === PROMISED.name && f.direction === direction)!;
  const what = `${direction}, ${PROMISED.name}: ${percent(ratio.median)} of plain, at least ${percent(SHARE)}`;
  return { what, isKept: ratio.median >= SHARE };
});
const farVerdicts = far.map(({ direction, rate, bound }) => {
  const share = rate.median / bound;
  const what = `${direction}, ${DELAY} ms each way: ${percent(share)} of a window for each round trip, at least ${percent(FAR_SHARE)}`;
  return { what, isKept: share >= FAR_SHARE };
});
const verdicts = [...nearVerdicts, ...farVerdicts];

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ benchmark: 'session', machine: machine(), verdicts, figures, far }, null, 2));
} else print();
if (verdicts.some(({ isKept }) => !isKept)) process.exitCode = 1;

// ---- measuring

interface Turn {
  readonly rate: number;
  readonly cpu: number;
}

type EndPart = Part<Order | Signal>;

interface Link {
  readonly server: EndPart;
  readonly client: EndPart;
}

async function measure(): Promise<Figure[]> {
  const turns = new Map<string, Record<Contender, Turn>[]>();
  for (let launch = 0; launch < launches; launch++) {
    console.error(`launch ${launch + 1} of ${launches}`);
    const links = { plain: await startLink('plain'), session: await startLink('session') };
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      for (const payload of payloads) {
        for (const direction of DIRECTIONS) {
          const pair = await takeTurns(links, payload, direction, round % 2 === 0 ? 'plain' : 'session');
          const key = `${payload.name}, ${direction}`;
          if (round >= 0) turns.set(key, [...(turns.get(key) ?? []), pair]);
        }
      }
    }
    await Promise.all(Object.values(links).map(endLink));
  }
  return payloads.flatMap(({ name }) =>
    DIRECTIONS.map((direction): Figure => {
      const pairs = turns.get(`${name}, ${direction}`)!;
      const spread = (of: (pair: Record<Contender, Turn>) => number) => spreadOf(pairs.map(of));
      return {
        payload: name,
        direction,
        rate: { plain: spread(({ plain }) => plain.rate), session: spread(({ session }) => session.rate) },
        cpu: { plain: spread(({ plain }) => plain.cpu), session: spread(({ session }) => session.cpu) },
        ratio: spread(({ plain, session }) => session.rate / plain.rate),
      };
    }),
  );
}

async function takeTurns(
  links: Record<Contender, Link>,
  payload: Payload,
  direction: Direction,
  first: Contender,
): Promise<Record<Contender, Turn>> {
  if (first === 'session') {
    const session = await takeTurn(links.session, payload, direction, MESSAGES);
    return { session, plain: await takeTurn(links.plain, payload, direction, MESSAGES) };
  }
  const plain = await takeTurn(links.plain, payload, direction, MESSAGES);
  return { plain, session: await takeTurn(links.session, payload, direction, MESSAGES) };
}

async function takeTurn(link: Link, payload: Payload, direction: Direction, messages: number): Promise<Turn> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  const up = direction === 'server to client' ? 0 : messages;
  const down = direction === 'client to server' ? 0 : messages;
  await Promise.all([
    link.server.ask({ payload: payload.name, send: down, receive: up }),
    link.client.ask({ payload: payload.name, send: up, receive: down }),
  ]);
  const both = (signal: Signal) => Promise.all([link.server.ask(signal), link.client.ask(signal)]);
  await both('go');
  const [server, client] = (await both('how was it')) as [Answer, Answer];
  const began = Math.min(down > 0 ? server.began : Infinity, up > 0 ? client.began : Infinity);
  const seconds = (Math.max(server.ended, client.ended) - began) / 1e3;
  return { rate: (up + down) / seconds, cpu: ((server.cpu + client.cpu) / (up + down)) * 1e3 };
}

async function measureFar(): Promise<FarFigure[]> {
  console.error(`a link of ${DELAY} ms each way`);
  const server = await startServer('session');
  const proxy = await createFaultProxy({ port: portOf(server) });
  proxy.delay(DELAY);
  const link = { server, client: await startClient('session', proxy.url()) };
  const far: FarFigure[] = [];
  try {
    for (const direction of DIRECTIONS) {
      const rates: number[] = [];
      for (let round = -1; round < (isQuick ? 1 : FAR_ROUNDS); round++) {
        const { rate } = await takeTurn(link, PROMISED, direction, FAR_MESSAGES);
        if (round >= 0) rates.push(rate * PROMISED.bytes);
      }
      far.push({ direction, rate: spreadOf(rates), bound: boundOf(direction) });
    }
  } finally {
    await endLink(link);
    await proxy.close();
  }
  return far;
}

/** Bytes a second: what may be under way, once in each round trip; with both directions, each has its own window. */
function boundOf(direction: Direction): number {
  const inFlight = Math.min(WINDOW.bytes, WINDOW.messages * PROMISED.bytes);
  return (inFlight / ((2 * DELAY) / 1e3)) * (direction === 'both at once' ? 2 : 1);
}

// ---- processes

async function startLink(contender: Contender): Promise<Link> {
  const server = await startServer(contender);
  return { server, client: await startClient(contender, `ws://127.0.0.1:${portOf(server)}`) };
}

function startServer(contender: Contender): Promise<EndPart> {
  return startPart('session/server', [contender]);
}

function startClient(contender: Contender, url: string): Promise<EndPart> {
  return startPart('session/client', [contender, url]);
}

function portOf(server: EndPart): number {
  return (server.greeting as { readonly port: number }).port;
}

async function endLink({ client, server }: Link): Promise<void> {
  await client.end();
  await server.end();
}

// ---- telling

function print(): void {
  console.log(machineLine(machine()));
  console.log(`${launches} launches of ${ROUNDS} rounds of ${MESSAGES} messages each way\n`);
  const rows = figures.map(({ payload, direction, rate, cpu, ratio }) => [
    payload,
    direction,
    thousands(rate.plain.median),
    thousands(rate.session.median),
    percent(ratio.median),
    ratio.quartiles.map(percent).join(' to '),
    cpu.plain.median.toFixed(1),
    cpu.session.median.toFixed(1),
  ]);
  const head = [
    'message',
    'direction',
    'plain, msg/s',
    'session, msg/s',
    'ratio',
    'quartiles',
    'plain, µs',
    'session, µs',
  ];
  console.log(table(head, rows, new Set([2, 3, 4, 5, 6, 7])));

  console.log(
    `\nA link of ${DELAY} ms each way, ${PROMISED.name}, ${isQuick ? 1 : FAR_ROUNDS} rounds of ${FAR_MESSAGES} messages\n`,
  );
  const farRows = far.map(({ direction, rate, bound }) => [
    direction,
    megabytes(rate.median),
    rate.quartiles.map(megabytes).join(' to '),
    megabytes(bound),
    percent(rate.median / bound),
  ]);
  console.log(
    table(['direction', 'session', 'quartiles', 'window / round trip', 'of it'], farRows, new Set([1, 2, 3, 4])),
  );
  const roundTrip = 2 * DELAY;
  const best = SIGNALR.bytes / (roundTrip / 1e3);
  const usual = SIGNALR.bytes / ((SIGNALR.ackDelay + roundTrip) / 1e3);
  console.log(
    `\nBy arithmetic, not measured: a buffer of ${SIGNALR.bytes / 1e3} kB gives ${megabytes(best)} here if it is acknowledged at once,\n` +
      `and ${megabytes(usual)} if that is put off by ${SIGNALR.ackDelay / 1e3} s.`,
  );
  console.log('');
  for (const { what, isKept } of verdicts) console.log(`${isKept ? 'kept' : 'BROKEN'}  ${what}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function thousands(rate: number): string {
  return `${(rate / 1e3).toFixed(1)} k`;
}

function megabytes(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} MB/s`;
}
