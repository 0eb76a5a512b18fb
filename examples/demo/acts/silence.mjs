// The link goes silent: no error, no close, nothing. How long until both ends know, and until the client is back?

import { connect } from '@holdfast/node';
import { createServer } from '@holdfast/server';
import { createFaultProxy } from '@holdfast/testing';

export const title = 'A link gone silent';

// 300 ms instead of 30 s and 10 s, at both ends, so that nobody has to wait
const heartbeat = { interval: 300, timeout: 300 };
/** What a busy machine may add to a time that is promised, in milliseconds. */
const LEEWAY = 400;

export function serve() {
  const server = createServer({ port: 0, host: '127.0.0.1', heartbeat });
  let connections = 0;
  server.on('connection', () => connections++);
  const letGo = new Promise((resolve) => server.once('error', ({ code }) => resolve(code)));
  return { server, letGo: () => letGo, connections: () => connections };
}

export async function run(stage) {
  const server = await stage.serve();
  const proxy = stage.closeAtEnd(await createFaultProxy({ port: server.port }));
  // a link that lasted 500 ms (instead of 5 s) is one worth returning to at once
  const client = stage.closeAtEnd(connect(proxy.url(), { heartbeat, reconnect: { stableAfter: 500 } }));
  for (let beats = 0; beats < 4; beats++) await stage.next(client, 'pong');

  proxy.blackhole();
  const silentAt = performance.now();
  const after = () => Math.round(performance.now() - silentAt);
  const [noticed, back, letGo] = await Promise.all([
    stage.next(client, 'close').then(after),
    stage.next(client, 'open').then(after),
    server.ask('letGo').then((code) => ({ code, after: after() })),
    // The network is well again once it has swallowed bytes, but not for the old link: a phone has changed networks.
    proxy.holding().then(() => proxy.pass()),
  ]);
  const connections = await server.ask('connections');

  const bound = heartbeat.interval + heartbeat.timeout;
  stage.say(
    `heartbeat every ${heartbeat.interval} ms, timeout ${heartbeat.timeout} ms, at both ends: silence is noticed within ${bound} ms`,
  );
  stage.say(`link swallowed at 0 ms; client noticed at ${noticed} ms, was back at ${back} ms`);
  stage.say(`server let go of the dead peer at ${letGo.after} ms: ${letGo.code}`);
  return {
    summary: `noticed after ${noticed} ms, back after ${back} ms`,
    figures: { noticed, back, serverNoticed: letGo.after },
    rows: [
      { promise: `the client notices within ${bound} ms`, found: `${noticed} ms`, held: noticed <= bound + LEEWAY },
      {
        promise: 'it dials at once, not after a backoff',
        found: `${back - noticed} ms`,
        held: back - noticed <= LEEWAY,
      },
      {
        promise: 'the server notices too',
        found: `${letGo.after} ms, ${letGo.code}`,
        held: letGo.code === 'HEARTBEAT_TIMEOUT' && letGo.after <= bound + LEEWAY,
      },
      { promise: 'one new link, not several', found: `${connections} in all`, held: connections === 2 },
    ],
  };
}
