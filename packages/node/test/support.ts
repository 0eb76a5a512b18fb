// What do several tests of the adapter for Node need?

import { Agent } from 'node:http';
import { connect, type Socket as TcpSocket } from 'node:net';
import type { Adapter, CloseInfo, Data, Socket, SocketRequest } from '@holdfast/core';

/** A socket with promises for what it tells. */
export interface Dialled {
  readonly socket: Socket;
  readonly opened: Promise<{ readonly protocol: string }>;
  readonly closed: Promise<CloseInfo>;
  /** All messages so far. */
  readonly received: readonly Data[];
  /** The message that comes next. */
  readonly next: () => Promise<Data>;
}

export function dial(adapter: Adapter, target: string | SocketRequest): Dialled {
  const request = typeof target === 'string' ? { url: target, protocols: [] } : target;
  const received: Data[] = [];
  let tellNext: (data: Data) => void = () => {};
  let tellOpened: (info: { readonly protocol: string }) => void;
  let tellClosed: (close: CloseInfo) => void;
  const opened = new Promise<{ readonly protocol: string }>((resolve) => (tellOpened = resolve));
  const closed = new Promise<CloseInfo>((resolve) => (tellClosed = resolve));
  const socket = adapter.openSocket(request, {
    opened: (info) => tellOpened(info),
    message(data) {
      received.push(data);
      tellNext(data);
    },
    closed: (close) => tellClosed(close),
  });
  return { socket, opened, closed, received, next: () => new Promise((resolve) => (tellNext = resolve)) };
}

/** An agent whose TCP sockets can be looked at. */
export function watchedAgent(): { readonly agent: Agent; readonly sockets: readonly TcpSocket[] } {
  const sockets: TcpSocket[] = [];
  const createConnection = ({ host, port }: { host: string; port: number }): TcpSocket => {
    const socket = connect({ host, port });
    sockets.push(socket);
    return socket;
  };
  return { agent: Object.assign(new Agent(), { createConnection }), sockets };
}

/** Collects what would have ended the process. */
export function watchUncaught(): { readonly errors: readonly unknown[]; stop(): void } {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  return {
    errors,
    stop() {
      process.off('uncaughtException', note);
      process.off('unhandledRejection', note);
    },
  };
}

/** The loop has turned often enough for everything that was due at once. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
