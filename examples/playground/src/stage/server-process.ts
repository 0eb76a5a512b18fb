// The server's own process, so that it can be killed: a server that sends back what it receives.

import { createServer, type Server } from '@holdfast/server';
import type { Order, Report } from './server-handle.ts';

let server: Server | undefined;

process.on('message', ({ order, port }: Order) => {
  switch (order) {
    case 'listen':
      void listen(port);
      return;
    case 'drain':
      // each page gets a moment of its own to come back in; the first of them leaves the next server time to be up
      void server?.drain({ after: 2_500, over: 1_000 }).then(() => process.disconnect());
  }
});
// the playground has ended, or has let go of us
process.once('disconnect', () => process.exit());
tell({ is: 'ready', port: 0 });

async function listen(port: number): Promise<void> {
  server = createServer({ port, host: '127.0.0.1', origins: ['http://127.0.0.1:*', 'http://localhost:*'] });
  server.on('connection', (peer) => peer.on('message', (data) => peer.send(data)));
  await server.listening();
  tell({ is: 'listening', port: server.port! });
}

function tell(report: Report): void {
  process.send!(report);
}
