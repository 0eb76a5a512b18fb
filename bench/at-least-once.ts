// What do the proofs of at-least-once delivery cost, over real sockets?
//
// A server and its clients, each in a process of its own, on loopback; one client works at a time. What the proofs cost,
// the pings and their replies, is told by a client that writes each of its pings five times: what that costs more is
// four times their price, and all else, the waiting for proofs above all, is the same. In each round all take their
// turns forth and back, so that a machine that grows slower favours nobody.

import {
  CONTENDERS,
  SIZES,
  TIMES,
  TURN,
  type ClientOrder,
  type Contender,
  type ServerAnswer,
  type ServerOrder,
  type Size,
  type Turn,
  type Usage,
} from './at-least-once/ends.ts';
import { machine, machineLine } from './machine.ts';
import { startPart, type Part } from './processes.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { table } from './table.ts';

const LAUNCHES = 2;
const ROUNDS = 8;
/** Seconds of 190 messages a second. */
const STEADY = 20;
/** What the proofs may cost: a part of what a message costs both ends in processor time. */
const SHARE = 0.03;
const [MOST, LEAST, FIVE, FREE] = CONTENDERS;

interface Figure {
  readonly size: Size;
  readonly contender: Contender;
  /** Messages a second. */
  readonly rate: Spread;
  /** Processor time of both ends, microseconds per message. */
  readonly cpu: Spread;
  /** That, to `at least once` in the same round. */
  readonly ratio: Spread;
  /** Pings per 1 000 messages. */
  readonly pings: number;
}

interface Steady {
  readonly seconds: number;
  readonly pings: number;
  readonly drops: number;
  readonly pauses: number;
}

const server = await startPart<ServerOrder>('at-least-once/server', []);
const urls = server.greeting as Exclude<ServerAnswer, Usage>;
const figures: Figure[] = [];
for (const size of SIZES) figures.push(...(await measure(size)));
const steady = await beSteady();
await server.end();

const verdicts = [
  ...SIZES.map((size) => {
    const cost = (figureOf(size, FIVE).ratio.median - 1) / (TIMES - 1);
    return {
      what: `${size} B: proofs cost ${(cost * 100).toFixed(1)} % of the processor time of a message, at most ${SHARE * 100} %`,
      isKept: cost <= SHARE,
    };
  }),
  {
    what: `190 messages a second for ${steady.seconds} s: ${steady.pings} pings; a server with the default budgets stopped reading ${steady.pauses} times, and ${steady.drops} messages were dropped`,
    isKept: steady.pauses === 0 && steady.drops === 0 && steady.pings / steady.seconds <= 10,
  },
];
if (process.argv.includes('--json')) console.log(JSON.stringify(report(), null, 2));
else print();
if (verdicts.some(({ isKept }) => !isKept)) process.exitCode = 1;

// ---- measuring

type Measured = Turn & { readonly total: number };
type Round = Readonly<Record<Contender, Measured>>;

function rotated<T>(all: readonly T[], by: number): T[] {
  const start = by % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

async function measure(size: Size): Promise<Figure[]> {
  const rounds: Round[] = [];
  for (let launch = 0; launch < LAUNCHES; launch++) {
    console.error(`${size} B: launch ${launch + 1} of ${LAUNCHES}`);
    const clients = new Map<Contender, Part<ClientOrder>>();
    for (const contender of CONTENDERS) clients.set(contender, await startClient(contender, size, urls.fast));
    for (let round = 0; round < ROUNDS; round++) {
      const turns = new Map<Contender, Measured[]>();
      const forth = rotated([LEAST, FIVE, FREE, MOST], round);
      for (const contender of [...forth, ...forth.toReversed()]) {
        turns.set(contender, [...(turns.get(contender) ?? []), await takeTurn(clients.get(contender)!)]);
      }
      rounds.push(Object.fromEntries([...turns].map(([name, [one, two]]) => [name, both(one!, two!)])) as Round);
    }
    for (const client of clients.values()) await client.end();
  }
  return CONTENDERS.map((contender) => {
    const turns = rounds.map((round) => round[contender]);
    return {
      size,
      contender,
      rate: spreadOf(turns.map(({ ms }) => TURN / (ms / 1_000))),
      cpu: spreadOf(turns.map(({ total }) => total / TURN)),
      ratio: spreadOf(rounds.map((round) => round[contender].total / round[LEAST].total)),
      pings: (turns.reduce((sum, { pings }) => sum + pings, 0) / turns.length / TURN) * 1_000,
    };
  });
}

/** The mean of two turns. */
function both(one: Measured, other: Measured): Measured {
  const mean = (name: keyof Measured): number => (one[name] + other[name]) / 2;
  return { ms: mean('ms'), cpu: mean('cpu'), total: mean('total'), pings: mean('pings'), drops: mean('drops') };
}

async function takeTurn(client: Part<ClientOrder>): Promise<Measured> {
  const before = await usage();
  const turn = (await client.ask('turn')) as Turn;
  return { ...turn, total: turn.cpu + (await usage()).cpu - before.cpu };
}

async function beSteady(): Promise<Steady> {
  const client = await startClient(LEAST, 100, urls.strict, []);
  const before = await usage();
  const { ms, pings, drops } = (await client.ask({ steady: STEADY })) as Turn;
  const { pauses } = await usage();
  await client.end();
  return { seconds: ms / 1_000, pings, drops, pauses: pauses - before.pauses };
}

async function usage(): Promise<Usage> {
  return (await server.ask('usage')) as Usage;
}

/** Resolves when it is warm. */
function startClient(
  contender: Contender,
  size: Size,
  url: string,
  more: readonly string[] = ['warm'],
): Promise<Part<ClientOrder>> {
  return startPart('at-least-once/client', [contender, String(size), url, ...more]);
}

// ---- telling

function figureOf(size: Size, contender: Contender): Figure {
  return figures.find((figure) => figure.size === size && figure.contender === contender)!;
}

function report(): object {
  return {
    benchmark: 'at-least-once',
    machine: machine(),
    rounds: LAUNCHES * ROUNDS,
    messages: TURN,
    verdicts,
    figures,
    steady,
  };
}

function print(): void {
  console.log(machineLine(machine()));
  console.log(
    `packages as built; ${LAUNCHES} launches of ${ROUNDS} rounds of ${TURN} messages; ${MOST} for comparison`,
  );
  for (const size of SIZES) {
    console.log(`\n${size} B\n`);
    const rows = CONTENDERS.map((contender) => {
      const { rate, cpu, ratio, pings } = figureOf(size, contender);
      const [low, high] = ratio.quartiles.map((value) => value.toFixed(3));
      return [
        contender,
        Math.round(rate.median).toLocaleString('en').replaceAll(',', ' '),
        cpu.median.toFixed(2),
        ratio.median.toFixed(3),
        `${low} to ${high}`,
        pings.toFixed(1),
      ];
    });
    const head = ['delivery', 'messages/s', 'µs of processor', '× at least once', 'quartiles', 'pings per 1 000'];
    console.log(table(head, rows, new Set([1, 2, 3, 4, 5])));
  }
  console.log('');
  for (const { what, isKept } of verdicts) console.log(`${isKept ? 'kept' : 'BROKEN'}  ${what}`);
}
