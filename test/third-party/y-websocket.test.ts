// Do two documents of Yjs become one again through y-websocket, as it is published, over our WebSocket class?

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFaultProxy, type FaultProxy } from '@holdfast/testing';
import { createWebSocketClass } from '@holdfast/core/websocket';
import { nodeAdapter } from '@holdfast/node';
import { WebSocketServer } from 'ws';
import { WebsocketProvider } from 'y-websocket';

/** y-websocket's protocol: the first number of each message says what it is. */
const SYNC = 0;

/** A link that is silent is noticed after 300 ms; y-websocket by itself takes 30 s. */
const WebSocket = createWebSocketClass(nodeAdapter(), { heartbeat: { interval: 200, timeout: 100 } });

let server: WebSocketServer;
let proxy: FaultProxy;
let own: Y.Doc;
let theirs: Y.Doc;
let providers: WebsocketProvider[];

beforeEach(async () => {
  server = await startServer();
  const { port } = server.address() as { port: number };
  proxy = await createFaultProxy({ port });
  [own, theirs] = [new Y.Doc(), new Y.Doc()];
  providers = [provide(own, proxy.port), provide(theirs, port)]; // theirs goes round the proxy
  await Promise.all(providers.map(synced));
});

afterEach(async () => {
  for (const provider of providers) provider.destroy();
  await proxy.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
  [own, theirs].forEach((doc) => doc.destroy());
});

function provide(doc: Y.Doc, port: number): WebsocketProvider {
  return new WebsocketProvider(`ws://127.0.0.1:${port}`, 'room', doc, {
    WebSocketPolyfill: WebSocket,
    disableBc: true,
  });
}

describe('y-websocket over our WebSocket class', () => {
  it('syncs two documents', async () => {
    own.getText('t').insert(0, 'hello');
    await reads(theirs, 'hello');
    expect(own.getText('t').toString()).toBe('hello');
  });

  it('two documents written on both sides of a cut become one', async () => {
    own.getText('t').insert(0, 'a');
    await reads(theirs, 'a');
    proxy.refuse();
    proxy.cut();
    await status(providers[0]!, 'disconnected');
    own.getText('t').insert(1, 'b');
    theirs.getMap('m').set('written', 'meanwhile');
    proxy.pass();
    await reads(theirs, 'ab');
    await until(own, () => own.getMap('m').get('written') === 'meanwhile');
    expect(own.toJSON()).toEqual(theirs.toJSON());
  });

  it('T1: what is written into a silent link arrives once it is noticed', async () => {
    proxy.blackhole();
    own.getText('t').insert(0, 'lost?');
    await proxy.holding();
    proxy.pass();
    await reads(theirs, 'lost?');
    expect(own.toJSON()).toEqual(theirs.toJSON());
    await proxy.connected(2);
  });
});

/** The text of a document has become so. */
function reads(doc: Y.Doc, text: string): Promise<void> {
  return until(doc, () => doc.getText('t').toString() === text);
}

function until(doc: Y.Doc, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isSo()) return;
      doc.off('update', look);
      resolve();
    };
    doc.on('update', look);
    look();
  });
}

function synced(provider: WebsocketProvider): Promise<void> {
  return new Promise((resolve) => {
    if (provider.synced) resolve();
    else provider.once('sync', () => resolve());
  });
}

function status(provider: WebsocketProvider, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (told: { status: string }): void => {
      if (told.status !== wanted) return;
      provider.off('status', look);
      resolve();
    };
    provider.on('status', look);
  });
}

/** One room: everybody's updates go into one document, and from there to everybody. */
async function startServer(): Promise<WebSocketServer> {
  const doc = new Y.Doc();
  const listening = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  listening.on('connection', (socket) => {
    const say = (write: (encoder: encoding.Encoder) => void): void => {
      const encoder = encoding.createEncoder();
      encoding.writeVarUint(encoder, SYNC);
      write(encoder);
      if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder));
    };
    const pass = (update: Uint8Array): void => say((encoder) => sync.writeUpdate(encoder, update));
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data) => {
      const decoder = decoding.createDecoder(new Uint8Array(data as ArrayBuffer));
      if (decoding.readVarUint(decoder) === SYNC) say((encoder) => sync.readSyncMessage(decoder, encoder, doc, socket));
    });
    socket.on('close', () => doc.off('update', pass));
    socket.on('error', () => {}); // a cut link
    doc.on('update', pass);
    say((encoder) => sync.writeSyncStep1(encoder, doc));
  });
  listening.on('close', () => doc.destroy());
  await new Promise((resolve) => listening.once('listening', resolve));
  return listening;
}
