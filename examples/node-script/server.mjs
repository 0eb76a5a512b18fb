// Who hears the ticks? A server in a process of its own, which start.mjs kills and starts again.

import { createServer } from '@holdfast/server';

const server = createServer({ port: Number(process.env.PORT ?? 8080), host: '127.0.0.1' });

server.on('connection', (peer) => {
  peer.on('message', (data) => {
    const tick = Number(data);
    console.log(`server: tick ${tick}`);
    process.send?.({ tick });
  });
});

await server.listening();
console.log(`server: listening on ws://127.0.0.1:${server.port}, process ${process.pid}`);
process.send?.({ port: server.port });

// a child without its parent is of no use
process.once('disconnect', () => process.exit());
