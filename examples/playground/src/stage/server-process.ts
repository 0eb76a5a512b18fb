// The server's own process, so that it can be killed: a server that sends back what it receives.

import { createServer } from '@holdfast/server';
import type { Order, Report } from './server-handle.ts';

const server = createServer({
  port: Number(process.argv[2]),
  host: '127.0.0.1',
  origins: ['http://127.0.0.1:*', 'http://localhost:*'],
});
server.on('connection', (peer) => peer.on('message', (data) => peer.send(data)));

process.on('message', (order: Order) => {
  // the next server needs a moment to be up; each page gets a moment of its own after that
  if (order === 'drain') void server.drain({ after: 2_500, over: 1_000 }).then(() => process.disconnect());
});
// the playground has ended, or has let go of us
process.once('disconnect', () => process.exit());

await server.listening();
process.send!({ port: server.port! } satisfies Report);
