// A strict `wx.connectSocket` on real sockets: what the documents of WeChat forbid fails here.

import { WebSocket, type RawData } from 'ws';
import type { FakeCallbacks, FakeCloseOptions, FakeConnectOptions, FakeSendOptions } from '@holdfast/testing';

export interface Wx {
  readonly connectSocket: (options: FakeConnectOptions) => object | undefined;
  /** Resolves when no task is left whose `onClose` has not been told. */
  idle(): Promise<void>;
  /** What was asked of it that the documents forbid. */
  readonly offences: readonly string[];
}

/** WeChat, also for a socket that is closing. */
const LIMIT = 5;
/** A host does not wait for ever for the answer to its close frame. */
const CLOSE_PATIENCE = 300;

/** `newBuffer` makes an `ArrayBuffer` of the realm that the caller lives in. */
export function createWx(newBuffer: (bytes: number) => ArrayBuffer): Wx {
  let live = 0;
  let taskId = 0;
  const waiting: (() => void)[] = [];
  const offences: string[] = [];

  function connectSocket(options: FakeConnectOptions): object | undefined {
    const id = ++taskId;
    for (const name of ['success', 'fail', 'complete'] as const) {
      if (typeof options[name] !== 'function') offences.push(`connectSocket without ${name}`);
    }
    if (live >= LIMIT) {
      failLater(options, `createSocketTask:fail wcwss taskID=${id} exceed max concurrent count`);
      return undefined;
    }
    let socket: WebSocket;
    try {
      const { url, header, protocols = [] } = options;
      socket = new WebSocket(url, [...protocols], { headers: { ...header }, perMessageDeflate: false });
    } catch (error) {
      failLater(options, `connectSocket:fail ${String(error)}`);
      return undefined;
    }
    live++;
    succeedLater(options, 'connectSocket:ok');
    return taskOf(socket);
  }

  function taskOf(socket: WebSocket): object {
    let header = {};
    let patience: NodeJS.Timeout | undefined;
    const handlers = new Map<string, ((event: unknown) => void)[]>();
    const on = (name: string) => (handler: (event: unknown) => void) => {
      handlers.set(name, [...(handlers.get(name) ?? []), handler]);
      if (handlers.get(name)!.length > 1) offences.push(`${name} registered twice`);
    };
    const tell = (name: string, event: unknown) => handlers.get(name)?.forEach((handler) => handler(event));

    socket.on('upgrade', (response) => (header = { ...response.headers }));
    socket.on('open', () => tell('open', { header, profile: {} }));
    socket.on('message', (data, isBinary) => tell('message', { data: isBinary ? toRealm(data) : String(data) }));
    socket.on('error', ({ message }) => tell('error', { errMsg: `connectSocket:fail ${message}` }));
    socket.on('close', (code, reason) => {
      live--;
      clearTimeout(patience);
      tell('close', { code, reason: String(reason) });
      if (live === 0) waiting.splice(0).forEach((resolve) => resolve());
    });

    return {
      onOpen: on('open'),
      onMessage: on('message'),
      onError: on('error'),
      onClose: on('close'),
      send(options: FakeSendOptions) {
        const { data } = options;
        const isBinary = Object.prototype.toString.call(data) === '[object ArrayBuffer]';
        if (typeof data !== 'string' && !isBinary) offences.push(`send of ${Object.prototype.toString.call(data)}`);
        if (socket.readyState !== WebSocket.OPEN) return failLater(options, 'sendSocketMessage:fail not connected');
        socket.send(typeof data === 'string' ? data : Buffer.from(data), { binary: isBinary });
        succeedLater(options, 'sendSocketMessage:ok');
      },
      close(options: FakeCloseOptions) {
        const { code = 1000, reason = '' } = options;
        const isAllowed = code === 1000 || (code >= 3000 && code <= 4999);
        if (!isAllowed || Buffer.byteLength(reason) > 123) {
          offences.push(`close with ${code} ${reason}`);
          return failLater(options, 'closeSocket:fail');
        }
        if (socket.readyState >= WebSocket.CLOSING && patience)
          return failLater(options, 'closeSocket:fail taskID not exist');
        patience ??= setTimeout(() => socket.terminate(), CLOSE_PATIENCE);
        socket.close(code, reason);
        succeedLater(options, 'closeSocket:ok');
      },
    };
  }

  function toRealm(data: RawData): ArrayBuffer {
    const bytes = data as Buffer;
    const buffer = newBuffer(bytes.byteLength);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  return {
    connectSocket,
    idle: () => new Promise((resolve) => (live === 0 ? resolve() : void waiting.push(resolve))),
    offences,
  };
}

function failLater({ fail, complete }: FakeCallbacks, errMsg: string): void {
  setImmediate(() => {
    fail?.({ errMsg });
    complete?.({ errMsg });
  });
}

function succeedLater({ success, complete }: FakeCallbacks, errMsg: string): void {
  setImmediate(() => {
    success?.({ errMsg });
    complete?.({ errMsg });
  });
}
