// Does the server get on with others: Express, Fastify, a second one, TLS, a listener that is not ours?
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import express from 'express';
import fastify from 'fastify';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  Client,
  answerOf,
  dial,
  dialTls,
  handshake,
  join,
  knock,
  nextError,
  nextPeer,
  nextRefusal,
  serve,
} from './helpers.ts';

const portOf = (http: HttpServer) => (http.address() as AddressInfo).port;

/** An HTTP server that is closed at the end of the test; make it before the WebSocket servers on it. */
async function serveHttp(http: HttpServer = createHttpServer()): Promise<HttpServer> {
  if (!http.listening) {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
  }
  onTestFinished(async () => {
    const closed = once(http, 'close');
    http.close();
    http.closeAllConnections();
    await closed;
  });
  return http;
}

test('Express serves pages and Holdfast sockets, on one port', async () => {
  const app = express();
  app.get('/hello', (_, response) => void response.send('hello'));
  const http = await serveHttp(app.listen(0, '127.0.0.1'));
  await (http.listening || once(http, 'listening'));
  const server = await serve({ server: http, path: '/live' });
  server.on('connection', (peer) => peer.on('message', (data) => peer.send(data)));
  const page = await fetch(`http://127.0.0.1:${portOf(http)}/hello`);
  expect(await page.text()).toBe('hello');
  const client = await join(server, { path: '/live?token=1' });
  client.ws.send('hi');
  expect(await client.received(1)).toEqual(['hi']);
  expect((await knock(portOf(http), { path: '/hello' })).status).toBe(404);
});

test('Fastify serves pages and Holdfast sockets, on one port', async () => {
  const app = fastify();
  app.get('/hello', () => 'hello');
  const server = await serve({ server: app.server, path: '/live' });
  app.addHook('preClose', () => server.close()); // onClose would wait for our sockets first
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  await server.listening();
  server.on('connection', (peer) => peer.on('message', (data) => peer.send(data)));
  const page = await fetch(`http://127.0.0.1:${server.port}/hello`);
  expect(await page.text()).toBe('hello');
  const client = await join(server, { path: '/live' });
  client.ws.send('hi');
  expect(await client.received(1)).toEqual(['hi']);
  await app.close();
  expect((await client.closed).code).toBe(1001);
});

describe('one HTTP server', () => {
  test("two servers share it by path, each with its own rules, and what is nobody's is 404", async () => {
    const http = await serveHttp();
    const a = await serve({ server: http, path: '/a', origins: ['https://a.example'] });
    const b = await serve({ server: http, path: '/b', origins: ['https://b.example'] });
    const statusOf = async (path: string, origin: string) =>
      (await knock(portOf(http), { path, headers: { Origin: origin } })).status;
    expect(await statusOf('/a', 'https://a.example')).toBe(101);
    expect(await statusOf('/b', 'https://b.example')).toBe(101);
    expect(await statusOf('/a', 'https://b.example')).toBe(403);
    expect(await statusOf('/b', 'https://a.example')).toBe(403);
    for (const path of ['/', '/c', '/a/', '/A', '/a%2f', '//a', '/b/../a']) {
      expect(await statusOf(path, 'https://a.example')).toBe(404);
    }
    await a.close();
    expect(await statusOf('/a', 'https://a.example')).toBe(404);
    expect(await statusOf('/b', 'https://b.example')).toBe(101);
    await b.close();
    expect(http.listenerCount('upgrade')).toBe(0);
  });

  test('a server without a path takes what the others leave', async () => {
    const http = await serveHttp();
    const rest = await serve({ server: http });
    const live = await serve({ server: http, path: '/live' });
    const onRest = nextPeer(rest);
    await join(rest, { path: '/other' });
    expect((await onRest).request.url).toBe('/other');
    const onLive = nextPeer(live);
    await join(live, { path: '/live' });
    expect((await onLive).request.url).toBe('/live');
  });

  test('one path for two servers is refused', async () => {
    const http = await serveHttp();
    await serve({ server: http, path: '/a' });
    await expect(serve({ server: http, path: '/a' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  test("a path that is another library's is left to it", async () => {
    const http = await serveHttp();
    const other = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => {
      if (request.url !== '/theirs') return;
      other.handleUpgrade(request, socket, head, (ws) => {
        ws.on('message', () => ws.send('theirs'));
      });
    });
    const server = await serve({ server: http, path: '/ours' });
    server.on('connection', (peer) => peer.on('message', () => peer.send('ours')));
    for (const path of ['/ours', '/theirs']) {
      const client = await join(server, { path });
      for (let count = 1; count <= 2; count++) {
        client.ws.send('whose?');
        expect((await client.received(count)).at(-1)).toBe(path.slice(1));
      }
    }
  });
});

test('noServer: an upgrade that is handed over is always answered', async () => {
  const http = await serveHttp();
  const server = await serve({ noServer: true, path: '/live' });
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  const port = portOf(http);
  expect((await knock(port, { path: '/live' })).status).toBe(101);
  const refused = nextRefusal(server);
  expect((await knock(port, { path: '/other' })).status).toBe(404);
  expect(await refused).toMatchObject({ status: 404, reason: 'path', address: undefined });
  expect((await knock(port, { path: '/live', headers: { Origin: 'https://a.b' } })).status).toBe(403);
  expect(server.port).toBe(undefined);
  await server.close();
  expect((await knock(port, { path: '/live' })).status).toBe(503);
});

test('an upgrade that two libraries take is told, and ends neither the process nor the other', async () => {
  const http = await serveHttp();
  const other = new WebSocketServer({ noServer: true });
  const server = await serve({ server: http });
  const failed = nextError(server, 'SERVER_FAILED');
  http.on('upgrade', (request, socket, head) => {
    other.handleUpgrade(request, socket, head, (ws) => ws.send('theirs'));
  });
  expect(await (await join(server)).received(1)).toEqual(['theirs']);
  expect((await failed).cause).toBeInstanceOf(Error);
  expect(server.peers.size).toBe(0);
});

test('noServer: a stream that is no socket has a heartbeat too', async () => {
  const http = await serveHttp();
  const server = await serve({ noServer: true, heartbeat: { interval: 20, timeout: 20 } });
  http.on('upgrade', (request, socket, head) => {
    const stream = new Duplex({
      read: () => {},
      write: (chunk, encoding, done) => void socket.write(chunk, encoding, done),
      final: (done) => void socket.end(done),
      destroy: (_, done) => {
        socket.destroy();
        done(null);
      },
    });
    socket.on('data', (data) => stream.push(data));
    socket.on('end', () => stream.push(null));
    socket.on('error', () => stream.destroy());
    server.handleUpgrade(request, stream, head);
  });
  const coming = nextPeer(server);
  const client = await join({ port: portOf(http) });
  const peer = await coming;
  for (let i = 0; i < 5; i++) await once(client.ws, 'ping');
  expect(peer.isOpen).toBe(true);
});

describe('wss', () => {
  const certificate = generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });

  test('tls makes it wss, with everything that ws has', async () => {
    const { private: key, cert } = await certificate;
    const server = await serve({
      tls: { key, cert },
      heartbeat: { interval: 20, timeout: 20 },
      sameHost: { hosts: ['app.example.com'] },
    });
    const coming = nextPeer(server);
    const client = new Client(`wss://127.0.0.1:${server.port}/`, [], { ca: cert });
    await once(client.ws, 'open');
    const peer = await coming;
    peer.on('message', (data) => peer.send(data));
    client.ws.send('hi');
    expect(await client.received(1)).toEqual(['hi']);
    for (let i = 0; i < 5; i++) await once(client.ws, 'ping');
    expect(peer.isOpen).toBe(true);

    // the scheme of an Origin is that of the connection
    for (const [origin, status] of [
      ['https://app.example.com', 101],
      ['http://app.example.com', 403],
    ] as const) {
      const socket = await dialTls(server.port, cert);
      socket.write(handshake({ headers: { Host: 'app.example.com', Origin: origin } }));
      expect((await answerOf(socket)).status).toBe(status);
    }
  });

  test('an HTTPS server of your own serves wss too', async () => {
    const { private: key, cert } = await certificate;
    const http = await serveHttp(createHttpsServer({ key, cert }));
    const server = await serve({ server: http });
    const socket = await dialTls(server.port, cert);
    socket.write(handshake());
    expect((await answerOf(socket)).status).toBe(101);
  });

  test('a client that speaks no TLS, or never ends its handshake, harms nobody and holds up no close', async () => {
    const { private: key, cert } = await certificate;
    const server = await serve({ tls: { key, cert } });
    await knock(server.port);
    const silent = await dial(server.port);
    const socket = await dialTls(server.port, cert);
    socket.write(handshake());
    expect((await answerOf(socket)).status).toBe(101);
    const cut = once(silent, 'close');
    const begin = performance.now();
    await server.close();
    expect(performance.now() - begin).toBeLessThan(3_000);
    await cut;
  });
});
