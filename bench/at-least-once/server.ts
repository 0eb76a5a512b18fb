// The server's end, in a process of its own: one server without budgets, and one with the default ones.

import { createServer, type Server } from '@holdfast/server';
import { ALL_HERE, cpuSoFar, TURN, type ServerAnswer } from './ends.ts';

if (!import.meta.resolve('@holdfast/server').endsWith('/dist/index.mjs')) throw new Error('not the built server');

let pauses = 0;

async function listen(server: Server): Promise<string> {
  await server.listening();
  return `ws://127.0.0.1:${server.port}`;
}

const fast = createServer({ port: 0, host: '127.0.0.1', origins: [], budget: false });
fast.on('connection', (peer) => {
  let count = 0;
  peer.on('message', () => {
    if (++count % TURN === 0) peer.send(ALL_HERE);
  });
});

const strict = createServer({ port: 0, host: '127.0.0.1', origins: [] });
strict.on('connection', ({ request }) => request.socket.on('pause', () => pauses++));

process.on('message', () => answer({ cpu: cpuSoFar(), pauses }));
process.on('disconnect', () => void Promise.all([fast.close(), strict.close()]).then(() => process.exit()));
answer({ fast: await listen(fast), strict: await listen(strict) });

function answer(what: ServerAnswer): void {
  process.send!(what);
}
