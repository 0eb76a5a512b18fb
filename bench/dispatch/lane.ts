// One process for one contender and one payload, so that no other client's types spoil its call sites.
//
// It is told by its arguments who it is, and by messages when to run a round. It answers with nanoseconds per message.

import { CONTENDERS, type Contender, type Sender, type Subject, type Tally } from './contenders.ts';
import { COUNT, MESSAGES, PAYLOADS, type Payload } from './payloads.ts';
import type { NoWireSocket } from './no-wire.ts';

export type Order = 'round';
export type Answer = 'ready' | Round;

/** Nanoseconds per message. */
export interface Round {
  readonly inbound: number;
  readonly outbound: number;
}

/** Sent between two turns of the wire: some 30 kB, far below every high-water mark. */
const DRAIN_EVERY = 1_024;
/** Rounds that are not measured, for the compiler. */
const WARM_UP = 3;

if (!import.meta.resolve('@holdfast/core').endsWith('/dist/index.mjs')) throw new Error('not the built core');

const [contenderName, payloadName] = process.argv.slice(2);
const contender = CONTENDERS.find(({ name }) => name === contenderName)!;
const payload = PAYLOADS.find(({ name }) => name === payloadName)!;
const tally: Tally = { sum: 0 };
const subject = await contender.open(payload, tally);
subject.socket.drain();

for (let i = 0; i < WARM_UP; i++) run(contender, payload, subject);
process.on('message', () => answer(run(contender, payload, subject)));
process.on('disconnect', () => void subject.close()); // timers of the client's would keep us alive
answer('ready');

function answer(what: Answer): void {
  process.send!(what);
}

function run(
  { hasCodec }: Contender,
  { name, frames, values, readFrame }: Payload,
  { socket, client }: Subject,
): Round {
  const heard = tally.sum;
  const inbound = timed(() => receive(socket, frames));
  expect('heard', tally.sum - heard, frames, readFrame);

  const { taken } = socket;
  const outbound = timed(() => {
    if (name === 'json' && !hasCodec) sendByHand(socket, client, values);
    else send(socket, client, values);
  });
  socket.drain();
  expect('sent', socket.taken - taken, frames, (frame) => Buffer.byteLength(frame as string | ArrayBuffer));
  return { inbound, outbound };
}

/**
 * Nanoseconds of processor time per message, and not of the clock on the wall: that one goes on while other processes
 * have the processor. What the garbage collector does beside us counts, as it should.
 */
function timed(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start); // microseconds
  return ((user + system) * 1_000) / MESSAGES;
}

function receive(socket: NoWireSocket, frames: Payload['frames']): void {
  for (let i = 0; i < MESSAGES; i++) socket.arrive(frames[i % COUNT]!);
}

function send(socket: NoWireSocket, client: Sender, values: readonly unknown[]): void {
  for (let i = 0; i < MESSAGES; i++) {
    client.send(values[i % COUNT]);
    if (i % DRAIN_EVERY === 0) socket.drain();
  }
}

function sendByHand(socket: NoWireSocket, client: Sender, values: readonly unknown[]): void {
  for (let i = 0; i < MESSAGES; i++) {
    client.send(JSON.stringify(values[i % COUNT]));
    if (i % DRAIN_EVERY === 0) socket.drain();
  }
}

/** A message that was lost, or work that the compiler took away, is not a fast client. */
function expect(what: string, sum: number, frames: Payload['frames'], size: (frame: unknown) => number): void {
  const expected = frames.reduce((total, frame) => total + size(frame), 0) * (MESSAGES / COUNT);
  if (sum !== expected) throw new Error(`${contenderName}: ${what} ${sum} instead of ${expected}`);
}
