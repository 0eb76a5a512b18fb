// One client in a process of its own. Arguments: how it delivers, the bytes of a message, and the address.
//
// `each ping five times` is `at least once` with four more pings beside each of its own; nobody waits for their replies.
// `held, proofs for nothing` is the client of `at least once` on an adapter that answers pings itself: it holds messages,
// asks for proofs and lets go of what is proven, and no ping and no pong is on the wire.

import { connect, nodeAdapter, type Adapter } from '@holdfast/node';
import {
  ALL_HERE,
  cpuSoFar,
  TIMES,
  TURN,
  type ClientAnswer,
  type ClientOrder,
  type Contender,
  type Turn,
} from './ends.ts';

if (!import.meta.resolve('@holdfast/node').endsWith('/dist/index.mjs')) throw new Error('not the built client');

const [contender, size, url, warm] = process.argv.slice(2) as [Contender, string, string, string?];
const texts = Array.from({ length: 64 }, (_, i) => String(i).padEnd(Number(size), '.'));
const tally = { pings: 0, drops: 0 };
/** A reply that answers no question. */
const NOBODYS = new Uint8Array(3);

const client = connect(url, {
  adapter: counting(nodeAdapter()),
  delivery: contender === 'at most once' ? 'at-most-once' : 'at-least-once',
});
let goOn = (): void => {};
client.on('drop', () => tally.drops++);
client.on('writable', () => goOn());
client.on('close', ({ code, asked }) => {
  if (!asked) throw new Error(`the link ended: ${code}`);
});

await client.opened();
for (let i = 0; warm && i < 3; i++) await takeTurn(); // for the compiler
process.on('message', (order: ClientOrder) => {
  void (order === 'turn' ? takeTurn() : beSteady(order.steady)).then(answer);
});
process.on('disconnect', () => process.exit());
answer('ready');

function answer(what: ClientAnswer): void {
  process.send!(what);
}

/** As fast as they are taken, until the server has them all; then what is held is proven too. */
async function takeTurn(): Promise<Turn> {
  return measured(async () => {
    const arrived = new Promise<void>((resolve) => {
      client.once('message', (data) => {
        if (data === ALL_HERE) resolve();
      });
    });
    let sent = 0;
    const takesMore = (): boolean => sent < TURN && client.bufferedAmount < 65_536;
    goOn = () => {
      while (takesMore() && client.send(texts[sent % texts.length]!) !== false) sent++; // refused, it is offered again
      if (!takesMore() && sent < TURN) setImmediate(goOn); // nobody tells when a socket has drained
    };
    goOn();
    await arrived;
    if (contender !== 'at most once') await client.flush();
  });
}

async function beSteady(seconds: number): Promise<Turn> {
  return measured(async () => {
    const begin = performance.now();
    for (let sent = 0; sent < seconds * 190;) {
      for (; sent < ((performance.now() - begin) / 1_000) * 190; sent++) client.send(texts[sent % texts.length]!);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
}

async function measured(work: () => Promise<void>): Promise<Turn> {
  const [pings, drops] = [tally.pings, tally.drops];
  const [begin, cpu] = [performance.now(), cpuSoFar()];
  await work();
  return {
    ms: performance.now() - begin,
    cpu: cpuSoFar() - cpu,
    pings: tally.pings - pings,
    drops: tally.drops - drops,
  };
}

function counting(inner: Adapter): Adapter {
  return {
    ...inner,
    openSocket(request, events) {
      const socket = inner.openSocket(request, events);
      const ping = (payload: Uint8Array): void => {
        tally.pings++;
        if (contender === 'held, proofs for nothing') return void setImmediate(() => events.pong!(payload));
        socket.ping!(payload);
        for (let more = contender === 'each ping five times' ? TIMES - 1 : 0; more > 0; more--) socket.ping!(NOBODYS);
      };
      return Object.assign(Object.create(socket) as typeof socket, { ping });
    },
  };
}
