// What do all hosts do underneath, whatever they call it? A real socket, told by four functions.

import WebSocket from 'ws';

export interface Line {
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
  /** The host cuts it, without a closing handshake; nothing is told of it. */
  cut(): void;
}

export interface LineEvents {
  opened(headers: Record<string, unknown>): void;
  message(data: string | Uint8Array): void;
  /** `opened` says whether it had been open; a dial that failed has no close code of the peer's. */
  ended(end: {
    readonly opened: boolean;
    readonly code: number;
    readonly reason: string;
    readonly cause: string;
  }): void;
}

export interface Dialler {
  /** @throws for what `ws` refuses to dial */
  dial(url: string, protocols: readonly string[], headers: Record<string, string>, events: LineEvents): Line;
  /** Lines that are not over. */
  readonly live: ReadonlySet<Line>;
  /** The most lines there ever were at once. */
  readonly most: number;
  /** Cuts all that is left. */
  cutAll(): void;
}

/** On a phone a socket that was closed keeps its place for a while, in milliseconds; loopback alone would be too quick. */
const LINGERS = 60;

export function createDialler(): Dialler {
  const live = new Set<Line>();
  let most = 0;

  function dial(url: string, protocols: readonly string[], headers: Record<string, string>, events: LineEvents): Line {
    const socket = new WebSocket(url, [...protocols], { headers, perMessageDeflate: false });
    socket.binaryType = 'nodebuffer';
    let opened = false;
    let answered: Record<string, unknown> = {};
    let cause = '';
    let isCut = false;
    let isClosed = false;
    const line: Line = {
      send: (data) => socket.send(data),
      close(code, reason) {
        isClosed = true;
        socket.close(code, reason);
      },
      cut() {
        isCut = true;
        live.delete(line);
        socket.terminate();
      },
    };
    live.add(line);
    most = Math.max(most, live.size);
    socket.on('upgrade', (response) => void (answered = { ...response.headers }));
    socket.on('open', () => {
      opened = true;
      if (!isCut) events.opened(answered);
    });
    socket.on('message', (data, isBinary) => {
      if (!isCut) events.message(isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString());
    });
    socket.on('error', (error) => void (cause = error.message));
    socket.on('close', (code, reason) => {
      const end = (): void => {
        live.delete(line);
        if (!isCut) events.ended({ opened, code, reason: reason.toString(), cause });
      };
      if (isClosed) setTimeout(end, LINGERS);
      else end();
    });
    return line;
  }

  return {
    dial,
    live,
    get most() {
      return most;
    },
    cutAll: () => [...live].forEach((line) => line.cut()),
  };
}
