// What does the chat look like from the server? One page and one WebSocket path on one port; whoever comes in has five
// seconds to say who he is.

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Peer } from '@holdfast/server';

/** In your app: a look into your database, or a signature. */
const NAMES: Readonly<Record<string, string>> = { 'token-of-ann': 'Ann', 'token-of-bob': 'Bob' };

const PATIENCE = 5_000;
const RECENT = 50;

interface Said {
  readonly type: 'said';
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

/** `pages` answers all that is no WebSocket. */
export async function startChat(pages: RequestListener, port: number) {
  const http = createHttpServer(pages);
  const server = createServer({
    server: http,
    path: '/chat',
    origins: ['http://localhost:*', 'http://127.0.0.1:*'],
    heartbeat: { interval: 30_000, timeout: 10_000 },
  });
  const members = new Map<Peer, string>();
  const recent: Said[] = [];

  server.on('connection', (peer) => {
    const late = setTimeout(() => peer.close(4408, 'no login'), PATIENCE);
    peer.on('message', (data) => {
      const name = members.get(peer);
      const message = read(data);
      if (name === undefined) login(peer, message['token'], late);
      else if (message['type'] === 'say')
        said({ type: 'said', id: text(message['id']), name, text: text(message['text']) });
    });
    peer.on('close', () => {
      clearTimeout(late);
      members.delete(peer);
    });
  });
  server.on('error', ({ code, message }) => console.error(`${code}: ${message}`));

  function login(peer: Peer, token: unknown, late: NodeJS.Timeout): void {
    clearTimeout(late);
    const name = NAMES[text(token)];
    if (name === undefined) return peer.close(4401, 'unknown token');
    members.set(peer, name);
    peer.send(JSON.stringify({ type: 'welcome', name, recent }));
  }

  /** A message that is known comes from somebody who could not know that it had arrived. He is told, and nobody else. */
  function said(message: Said): void {
    const isNew = recent.every(({ id }) => id !== message.id);
    if (isNew) recent.push(message);
    if (recent.length > RECENT) recent.shift();
    members.forEach((name, peer) => {
      if (isNew || name === message.name) peer.send(JSON.stringify(message));
    });
  }

  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(http.address() as AddressInfo).port}/`,
    /** As somebody who has no phone. */
    say: (name: string, words: string) => said({ type: 'said', id: `${name}-${recent.length}`, name, text: words }),
    /** As when the process is killed. */
    cut: () => members.forEach((_, peer) => peer.terminate()),
    async close() {
      await server.close();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };
}

function read(data: string | Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
