// Is the link alive, and how far away is the other end? Ten heartbeats, each with its round-trip time.

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';
import { createFaultProxy } from '@holdfast/testing';

export const title = 'Heartbeats';

/** How much longer the link is for the second five, in milliseconds each way. */
const DISTANCE = 25;
/** What a busy machine may add to a round trip, in milliseconds. */
const LEEWAY = 100;

export function serve() {
  const server = createServer({ port: 0, host: '127.0.0.1' });
  let messages = 0;
  server.on('connection', (peer) => peer.on('message', () => messages++));
  return { server, messages: () => messages };
}

export async function run(stage) {
  const server = await stage.serve();
  const proxy = stage.closeAtEnd(await createFaultProxy({ port: server.port }));
  // every 200 ms so that nobody has to wait; the default is every 30 s
  const client = stage.closeAtEnd(connect(proxy.url(), { heartbeat: { interval: 200, timeout: 1_000 } }));
  let closes = 0;
  client.on('close', () => closes++);

  const near = await nextFive();
  proxy.delay(DISTANCE);
  const far = await nextFive();
  const { latency } = client;
  const messages = await server.ask('messages');

  stage.say('heartbeat every 200 ms');
  stage.say(`round trips on loopback:              ${near.join(' ')} ms`);
  stage.say(`the same with ${DISTANCE} ms more each way:    ${far.join(' ')} ms`);
  return {
    summary: `median ${median(near)} ms; ${median(far)} ms with ${2 * DISTANCE} ms put in the way`,
    figures: { near, far },
    rows: [
      { promise: 'each heartbeat is answered, the link stays', found: `${closes} closes`, held: closes === 0 },
      {
        promise: 'the round trip is what the link takes',
        found: `${Math.min(...far)} to ${Math.max(...far)} ms`,
        // the clock tells whole milliseconds
        held: isNear(Math.min(...far), 2 * DISTANCE),
      },
      {
        promise: 'client.latency is the last of them',
        found: `${latency} ms`,
        held: latency === far.at(-1),
      },
      { promise: 'no heartbeat is told as a message', found: `${messages} messages`, held: messages === 0 },
    ],
  };

  async function nextFive() {
    const times = [];
    while (times.length < 5) times.push(await stage.next(client, 'pong'));
    return times;
  }
}

/** Each is at least that long, and the luckiest of them not much longer. */
const isNear = (least, expected) => least >= expected - 1 && least <= expected + LEEWAY;

const median = (five) => five.toSorted((a, b) => a - b)[2];
