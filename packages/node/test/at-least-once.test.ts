// Is anything lost when real servers die in the middle, and clients deliver at least once?

import { connect, type ConnectOptions } from '@holdfast/node';
import { createServer, type Server } from '@holdfast/server';
import { expect, it } from 'vitest';

const MESSAGES = 3_000;
const DEATHS = 4;

/** A server that takes down what it receives, and its process dies with the `dieAt`-th message. */
async function startServer(port: number, arrived: string[], dieAt: number, died: () => void): Promise<Server> {
  const server = createServer({ port, host: '127.0.0.1', budget: false });
  server.on('connection', (peer) => {
    let count = 0;
    peer.on('message', (data) => {
      arrived.push(String(data));
      if (++count < dieAt) return;
      peer.terminate();
      died();
    });
  });
  await server.listening();
  return server;
}

it.each<[string, ConnectOptions]>([
  ['ping frames', {}],
  ['text pings', { heartbeat: { message: 'ping' } }],
])(
  'T33: with %s, the server dies four times in the middle of 3 000: 0 are lost',
  { timeout: 60_000 },
  async (_, how) => {
    const arrived: string[] = [];
    const texts = Array.from({ length: MESSAGES }, (_each, i) => `m${i}`);
    let server: Server;
    let port = 0;
    let lives = 0;
    let restarted: Promise<void> = Promise.resolve();
    const live = async (): Promise<void> => {
      const isLast = lives++ === DEATHS;
      server = await startServer(port, arrived, isLast ? Infinity : 500, () => {
        restarted = server.close({ timeout: 50 }).then(live);
      });
      port = server.port!;
    };
    await live();

    const drops: unknown[] = [];
    const client = connect(`ws://127.0.0.1:${port}`, {
      ...how,
      delivery: 'at-least-once',
      reconnect: { initialDelay: 20, maxDelay: 50 },
      queue: { maxMessages: MESSAGES },
    });
    client.on('drop', (drop) => drops.push(drop));
    for (const text of texts) client.send(text);
    await client.flush();

    expect(lives).toBe(DEATHS + 1);
    expect(drops).toEqual([]);
    expect(texts.filter((text) => !arrived.includes(text))).toEqual([]);
    await client.close();
    await restarted;
    await server!.close();
  },
);
