// One server of the fleet. What it knows of sessions is in Redis, so any other can go on where it stops.

import { appendFileSync } from 'node:fs';
import { redisStore } from '@holdfast/redis';
import { createServer } from '@holdfast/server';

const store = redisStore({ url: process.env.REDIS_URL });

const server = createServer({
  port: Number(process.env.PORT),
  host: '127.0.0.1', // behind the proxies alone
  sessions: {
    store,
    authorize: ({ auth }) => typeof auth === 'string' && auth, // yours looks at a token
    async handle({ data }, session) {
      appendFileSync(process.env.LOG, `${String(data)}\n`); // your work
      await session.send(data); // the answer is in Redis when this is done, wherever its client may be
    },
  },
});
server.on('error', (error) => console.error(error));

// what systemd, Docker and Kubernetes send
process.once('SIGTERM', () => void leave());

async function leave() {
  const told = await server.drain({ over: Number(process.env.DRAIN_OVER), timeout: 10_000 });
  await store.close();
  process.send({ told }, () => process.disconnect());
}

await server.listening();
process.send('ready');
