// A client in a simulated world, and a server there that speaks the session's protocol just as the test says.

import {
  SUBPROTOCOL,
  decodeFromClient,
  encodeAck,
  encodeHello,
  encodeLost,
  encodeMessage,
  encodePong,
  encodeReady,
  type FrameFromClient,
  type OpenFrame,
  type ResumeFrame,
} from '@holdfast/session/wire';
import { session, type SessionOptions } from '@holdfast/session';
import type { ClientEvents, Data, HoldfastError } from '@holdfast/core';
import type { WorldConnection } from '@holdfast/testing';
import { newClient, newWorld, type NewClientOptions } from '../../../core/test/support/worlds.ts';

type Told<Event extends 'session' | 'lost' | 'progress'> = Parameters<ClientEvents<Data, Data>[Event]>[0];

/** How the server takes what clients ask of it; each can be replaced at any time. */
export interface Script {
  /** The first frame; `undefined` for a server that knows nothing of sessions. */
  hello: string | undefined;
  open(frame: OpenFrame, connection: WorldConnection): void;
  resume(frame: ResumeFrame, connection: WorldConnection): void;
  /** How much of what it got is committed, as its answers to pings say. All of it, unless told otherwise. */
  committed(received: number): number;
  /** Everything else. */
  frame(frame: FrameFromClient, connection: WorldConnection): void;
}

export interface Stage extends ReturnType<typeof newClient> {
  readonly world: ReturnType<typeof newWorld>;
  readonly script: Script;
  /** What the server got, in order, over all sockets. */
  readonly heard: FrameFromClient[];
  readonly sessions: Told<'session'>[];
  readonly lost: Told<'lost'>[];
  readonly progress: Told<'progress'>[];
  readonly reports: HoldfastError[];
  /** The newest connection. */
  readonly server: WorldConnection;
  /** The client's messages, as numbers that the server got. */
  messages(): { readonly seq: number; readonly data: Data }[];
  opened(times?: number): Promise<void>;
}

export const HELLO = { ttl: 120_000, maxMessage: 65_536, heartbeat: 30_000, window: 1_048_576 };

/** A server that keeps one session, and acknowledges nothing by itself but in answer to a ping. */
export function stage(sessionOptions: SessionOptions = {}, options: NewClientOptions = {}): Stage {
  return addClient(newStage(), sessionOptions, options);
}

/** The same page, loaded again: another client, and the first one hears and says nothing any more. */
export function reload(before: Stage, sessionOptions: SessionOptions, options: NewClientOptions = {}): Stage {
  before.server.silence();
  return addClient(before, sessionOptions, options);
}

type Half = Pick<Stage, 'world' | 'script' | 'heard'>;

function newStage(): Half {
  const world = newWorld();
  world.server.reply = undefined;
  world.server.reception = { name: 'open', protocol: SUBPROTOCOL };
  const heard: FrameFromClient[] = [];
  let highest = 0;
  const script: Script = {
    hello: encodeHello(HELLO),
    open: (_, connection) => connection.send(encodeReady({ sid: 's1', token: 't1', received: 0, stored: 0 })),
    resume: ({ received }, connection) =>
      connection.send(encodeReady({ sid: 's1', token: undefined, received: highest, stored: received })),
    committed: (received) => received,
    frame: () => {},
  };
  world.server.onOpen = (connection) => script.hello !== undefined && connection.send(script.hello);
  world.server.onMessage = (connection, data) => {
    const frame = decodeFromClient(data);
    heard.push(frame);
    if (frame.type === 'open') {
      highest = 0;
      return script.open(frame, connection);
    }
    if (frame.type === 'resume') return script.resume(frame, connection);
    if (frame.type === 'message') highest = Math.max(highest, frame.seq);
    if (frame.type === 'ping') connection.send(encodePong(script.committed(highest)));
    if (frame.type === 'end') connection.close(1000);
    script.frame(frame, connection);
  };
  return { world, script, heard };
}

function addClient({ world, script, heard }: Half, sessionOptions: SessionOptions, options: NewClientOptions): Stage {
  const watched = newClient(world, { reconnect: { initialDelay: 100 }, ...options, session: session(sessionOptions) });
  const told = { sessions: [], lost: [], progress: [] } as Pick<Stage, 'sessions' | 'lost' | 'progress'>;
  watched.client
    .on('session', (event) => told.sessions.push(event))
    .on('lost', (event) => told.lost.push(event as Told<'lost'>))
    .on('progress', (event) => told.progress.push(event));
  return {
    ...watched,
    ...told,
    world,
    script,
    heard,
    reports: watched.told.errors,
    get server() {
      return world.server.last;
    },
    messages: () => heard.flatMap((frame) => (frame.type === 'message' ? [{ seq: frame.seq, data: frame.data }] : [])),
    opened: (times = 1) => world.runUntil(() => watched.told.opens.length === times),
  };
}

/** What a server says of its own accord. */
export const ack = (connection: WorldConnection, seq: number): void => connection.send(encodeAck(seq));
export const say = (connection: WorldConnection, seq: number, data: Data = `s${seq}`, tag = seq * 7): void =>
  connection.send(encodeMessage(seq, tag, data));
export const lost = (connection: WorldConnection, reason: string): void => connection.send(encodeLost({ reason }));
