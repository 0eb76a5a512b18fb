// What every test here needs: a server and clients that are closed when the test ends, and answers that can be awaited.
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import {
  createServer,
  type Peer,
  type Refused,
  type Server,
  type ServerError,
  type ServerErrorCode,
  type ServerOptions,
} from '@holdfast/server';

/** A server on a free port of the loopback, closed at the end of the test, with nothing left in it. */
export async function serve<Identity = undefined>(options: ServerOptions<Identity> = {}): Promise<Server<Identity>> {
  const isPlaced = options.server !== undefined || options.noServer !== undefined;
  const server = createServer<Identity>(isPlaced ? options : { port: 0, host: '127.0.0.1', ...options });
  onTestFinished(async () => {
    await server.close({ timeout: 100 });
    if (server.peers.size > 0) throw new Error(`${server.peers.size} peers were left`);
  });
  if (!isPlaced) await server.listening();
  return server;
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A plain ws client that remembers everything it was told. */
export class Client {
  readonly messages: (string | Buffer)[] = [];
  readonly closed: Promise<Close>;
  readonly ws: WebSocket;
  private readonly wake = new Set<() => void>();

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.ws = new WebSocket(url, protocols, options);
    this.ws.on('error', () => {});
    this.ws.on('message', (data, isBinary) => {
      this.messages.push(isBinary ? (data as Buffer) : String(data));
      for (const wake of this.wake) wake();
    });
    this.closed = new Promise((resolve) => {
      this.ws.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    onTestFinished(() => this.ws.terminate());
  }

  /** Resolves when `count` messages have come in all. */
  async received(count: number): Promise<(string | Buffer)[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => this.wake.add(resolve));
    }
    return this.messages;
  }
}

export const urlOf = (server: { readonly port: number | undefined }, path = '/') =>
  `ws://127.0.0.1:${server.port}${path}`;

/** A client that is in. */
export async function join(
  server: { readonly port: number | undefined },
  options: ClientOptions & { path?: string; protocols?: string[] } = {},
): Promise<Client> {
  const client = new Client(urlOf(server, options.path), options.protocols, options);
  await once(client.ws, 'open');
  return client;
}

/** A client and the server's side of it. */
export async function pair<Identity>(
  server: Server<Identity>,
  options: Parameters<typeof join>[1] = {},
): Promise<{ client: Client; peer: Peer<Identity> }> {
  const peer = nextPeer(server);
  return { client: await join(server, options), peer: await peer };
}

export function nextPeer<Identity>(server: Server<Identity>): Promise<Peer<Identity>> {
  return new Promise((resolve) => server.once('connection', resolve));
}

export function nextRefusal<Identity>(server: Server<Identity>): Promise<Refused> {
  return new Promise((resolve) => server.once('refused', resolve));
}

/** The next error with this code, and nothing else. */
export function nextError<Identity>(server: Server<Identity>, code: ServerErrorCode): Promise<ServerError> {
  return new Promise((resolve) => {
    server.on('error', (error) => {
      if (error.code === code) resolve(error);
    });
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a handshake is answered, read off the wire; an accepted one is closed at once. */
export async function knock(
  port: number | undefined,
  request: {
    readonly path?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  } = {},
): Promise<Answer> {
  const socket = await dial(port);
  socket.write(handshake(request));
  return answerOf(socket);
}

/** Reads an answer up to the end of its head, or of the connection if it was refused. */
export async function answerOf(socket: Socket): Promise<Answer> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) break;
  }
  socket.destroy();
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}

/** A good handshake, but for what `headers` says otherwise; `undefined` leaves one out, a list repeats it. */
export function handshake({ path = '/', method = 'GET', headers = {} }: Parameters<typeof knock>[1] = {}): string {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A TCP connection that is destroyed at the end of the test. */
export async function dial(port: number | undefined): Promise<Socket> {
  const socket = connectTcp(port!, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The same over TLS. */
export async function dialTls(port: number | undefined, ca: string): Promise<Socket> {
  const socket = connectTls({ port: port!, host: '127.0.0.1', servername: 'localhost', ca });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** A WebSocket by hand: the upgrade is done, and nothing is read or answered unless the test does so. */
export async function joinRaw(port: number | undefined): Promise<Socket> {
  const socket = await dial(port);
  socket.write(handshake());
  await once(socket, 'data');
  return socket;
}

/** A client's frame (RFC 6455 §5.2) with a mask of zeros, payloads up to 125 bytes. */
export function frame(opcode: 'text' | 'ping' | 'pong', payload: string): Buffer {
  const code = { text: 1, ping: 9, pong: 10 }[opcode];
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([0x80 | code, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}

/** Waits for something that no event tells, looking again at every turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
