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

/**
 * What a contender does per message beyond handing it over.
 * - `guards`: a listener that throws harms no other
 * - `counts frames`: each frame is a sign of life for the heartbeat
 * - `looks for the reply`: each frame is held against the reply to a ping
 * - `queues`: a message that cannot go out now waits, in order
 * - `tells`: `send` says what became of the message
 * - `counts unconfirmed`: how many messages a socket took whose receipt is not proven
 * - `holds back`: above a mark of `bufferedAmount`, messages wait
 */
export type InboundDuty = 'guards' | 'counts frames' | 'looks for the reply';
export type OutboundDuty = 'queues' | 'tells' | 'counts unconfirmed' | 'holds back';

export interface Duties {
  readonly inbound: readonly InboundDuty[];
  readonly outbound: readonly OutboundDuty[];
}

export interface Contender {
  readonly name: string;
  readonly duties: Duties;
  /** Whether values are given to `send` and to listeners, and not frames. */
  readonly hasCodec: boolean;
  open(payload: Payload, tally: Tally): Promise<Subject>;
}

const URL = 'ws://no-wire.example/';

const OUT: readonly OutboundDuty[] = ['queues', 'tells', 'counts unconfirmed', 'holds back'];

export const BARE = 'bare';
export const HOLDFAST = 'holdfast';
export const HOLDFAST_ASKING = 'holdfast, reply owed';

/** robust-websocket is missing: its import throws in Node 20, where there is no `navigator`. */
export const CONTENDERS: readonly Contender[] = [
  { name: BARE, duties: { inbound: [], outbound: [] }, hasCodec: false, open: openBare },
  {
    name: HOLDFAST,
    duties: { inbound: ['guards', 'counts frames'], outbound: OUT },
    hasCodec: true,
    open: (payload, tally) => openHoldfast(payload, tally, false),
  },
  {
    name: HOLDFAST_ASKING,
    duties: { inbound: ['guards', 'counts frames', 'looks for the reply'], outbound: OUT },
    hasCodec: true,
    open: (payload, tally) => openHoldfast(payload, tally, true),
  },
  { name: 'websocket-ts', duties: { inbound: [], outbound: ['queues'] }, hasCodec: false, open: openWebsocketTs },
  { name: 'reconnecting-websocket', duties: { inbound: [], outbound: ['queues'] }, hasCodec: false, open: openRws },
  // These two guard by the platform's EventTarget. In Node, what a listener throws ends the process a turn later, unless
  // somebody listens for uncaught exceptions.
  { name: 'rews', duties: { inbound: ['guards'], outbound: ['queues'] }, hasCodec: false, open: openRews },
  {
    name: 'partysocket',
    duties: { inbound: ['guards'], outbound: ['queues', 'tells'] },
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
    heartbeat: { interval: 3_600_000 }, // on, and silent but for the ping that is asked for below
    ...(name === 'json' ? { codec: json() } : {}),
  });
  const read = name === 'json' ? readValue : readFrame;
  client.on('message', (value) => {
    tally.sum += read(value);
  });
  await client.opened();
  if (asks) adapter.hint('visible'); // a ping goes out, and nobody answers it
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
  const peer: unknown = new Rews(URL, { WebSocket: NoWireSocket as never }); // its types need those of a browser
  return listen(peer as W3cFace, payload, tally);
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
