// Who is measured, and what does each of them do for its time?

import { createClient, json } from '@holdfast/core';
import { ReconnectingWebSocket as Rews } from '@nktkas/rews';
import { EventEmitter } from 'eventemitter3';
import PartySocket from 'partysocket/ws';
import Rws from 'reconnecting-websocket';
import { ArrayQueue, Websocket as WebsocketTs, type WebsocketEvent } from 'websocket-ts';
import { noWireAdapter } from './no-wire-adapter.ts';
import { NoWireSocket } from './no-wire.ts';
import type { Payload } from './payloads.ts';

/** One client on its socket, open. */
export interface Subject {
  readonly socket: NoWireSocket;
  readonly client: Sender;
  close(): unknown;
}

export interface Sender {
  send(data: unknown): unknown;
}

/** What the one listener of a subject adds to, so that no message is optimised away. */
export interface Tally {
  sum: number;
}

/** What a contender does per message beyond handing it over. */
export interface Duties {
  /** A listener that throws harms no other. */
  readonly guards: boolean;
  /** A message that cannot go out now waits, in order. */
  readonly queues: boolean;
  /** `send` says what became of the message. */
  readonly tells: boolean;
  /** Frames are counted, in as signs of life, out as unconfirmed. */
  readonly counts: boolean;
  /** `bufferedAmount` is watched, and above a mark messages are held back. */
  readonly holdsBack: boolean;
  /** Each frame is looked at, whether it is the reply to a ping. */
  readonly heartbeat: boolean;
}

export interface Contender {
  readonly name: string;
  readonly duties: Duties;
  /** Whether values are given to `send` and to listeners, and not frames. */
  readonly hasCodec: boolean;
  open(payload: Payload, tally: Tally): Promise<Subject>;
}

const URL = 'ws://no-wire.example/';
const NONE: Duties = {
  guards: false,
  queues: false,
  tells: false,
  counts: false,
  holdsBack: false,
  heartbeat: false,
};
const HOLDFAST: Duties = { guards: true, queues: true, tells: true, counts: true, holdsBack: true, heartbeat: false };

export const BARE = 'bare';
export const HOLDFAST_PLAIN = 'holdfast';

export const CONTENDERS: readonly Contender[] = [
  { name: BARE, duties: NONE, hasCodec: false, open: openBare },
  {
    name: HOLDFAST_PLAIN,
    duties: HOLDFAST,
    hasCodec: true,
    open: (payload, tally) => openHoldfast(payload, tally, false),
  },
  {
    name: 'holdfast, reply owed',
    duties: { ...HOLDFAST, heartbeat: true },
    hasCodec: true,
    open: (payload, tally) => openHoldfast(payload, tally, true),
  },
  { name: 'websocket-ts', duties: { ...NONE, queues: true }, hasCodec: false, open: openWebsocketTs },
  { name: 'reconnecting-websocket', duties: { ...NONE, queues: true }, hasCodec: false, open: openRws },
  // by the platform's EventTarget; in Node what a listener throws then ends the process, unless somebody catches it there
  { name: 'rews', duties: { ...NONE, guards: true, queues: true }, hasCodec: false, open: openRews },
  {
    name: 'partysocket',
    duties: { ...NONE, guards: true, queues: true, tells: true },
    hasCodec: false,
    open: openPartySocket,
  },
];

/** In: handed to one listener of eventemitter3. Out: the socket's own `send`. */
async function openBare({ name, readFrame }: Payload, tally: Tally): Promise<Subject> {
  const socket = new NoWireSocket(URL);
  const emitter = new EventEmitter();
  if (name === 'binary') {
    // in the form that Holdfast's listeners get
    socket.addEventListener('message', ({ data }) => emitter.emit('message', new Uint8Array(data as ArrayBuffer)));
  } else socket.addEventListener('message', ({ data }) => emitter.emit('message', data));
  emitter.on('message', (data: unknown) => {
    tally.sum += readFrame(data);
  });
  await new Promise<void>((resolve) => socket.addEventListener('open', () => resolve()));
  return { socket, client: socket as Sender, close: () => socket.close() };
}

async function openHoldfast({ name, readFrame, readValue }: Payload, tally: Tally, asks: boolean): Promise<Subject> {
  const adapter = noWireAdapter();
  const client = createClient<unknown, unknown>(URL, {
    adapter,
    ...(asks ? {} : { heartbeat: false }),
    ...(name === 'json' ? { codec: json() } : {}),
  });
  const read = name === 'json' ? readValue : readFrame;
  client.on('message', (value) => {
    tally.sum += read(value);
  });
  await client.opened();
  if (asks) adapter.hint('visible'); // a doubt: a ping goes out, and nobody answers it
  return { socket: NoWireSocket.latest!, client, close: () => client.close() };
}

function openWebsocketTs(payload: Payload, tally: Tally): Promise<Subject> {
  Object.assign(globalThis, { WebSocket: NoWireSocket }); // it takes no constructor
  const client = new WebsocketTs(URL, undefined, { buffer: new ArrayQueue() });
  client.addEventListener('message' as WebsocketEvent.message, (_, { data }) => {
    tally.sum += payload.readFrame(data);
  });
  return new Promise((resolve) => {
    client.addEventListener('open' as WebsocketEvent.open, () => resolve(subjectOf(client)));
  });
}

function openRws(payload: Payload, tally: Tally): Promise<Subject> {
  return listen(new Rws(URL, [], { WebSocket: NoWireSocket }), payload, tally);
}

function openRews(payload: Payload, tally: Tally): Promise<Subject> {
  return listen(new Rews(URL, { WebSocket: NoWireSocket as never }), payload, tally);
}

function openPartySocket(payload: Payload, tally: Tally): Promise<Subject> {
  return listen(new PartySocket(URL, [], { WebSocket: NoWireSocket }), payload, tally);
}

/** As all of them that have the W3C's face are listened to. */
function listen(peer: W3cFace, { readFrame }: Payload, tally: Tally): Promise<Subject> {
  peer.binaryType = 'arraybuffer';
  peer.addEventListener('message', ({ data }) => {
    tally.sum += readFrame(data);
  });
  return new Promise((resolve) => {
    peer.addEventListener('open', () => resolve(subjectOf(peer)));
  });
}

interface W3cFace {
  binaryType: string;
  send(data: never): unknown;
  close(): unknown;
  addEventListener(type: 'message' | 'open', listener: (event: { readonly data?: unknown }) => void): void;
}

function subjectOf(client: Pick<W3cFace, 'send' | 'close'>): Subject {
  return { socket: NoWireSocket.latest!, client: client as Sender, close: () => client.close() };
}
