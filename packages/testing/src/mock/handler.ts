// How is msw asked to keep a dial waiting?
//
// `ws.link` makes a WebSocketHandler and surrounds it: each connection is also announced to a BroadcastChannel and, in a
// page, written to IndexedDB, which leaks a listener for each dial that fails at once; and a client of the ws package
// that meets a link gets 101 and then silence. None of that serves a test, so this is the handler alone.

import { WebSocketHandler } from 'msw';
import type { ClientConnection } from './link.ts';

/** Takes a dial, or returns `undefined`. `open` waits for the promise. */
export type TakeDial = (client: ClientConnection, protocols: readonly string[]) => Promise<void> | undefined;

export function createHandler(url: string, takeDial: TakeDial): WebSocketHandler {
  return new MockHandler(url, takeDial);
}

type Run = WebSocketHandler['run'];

class MockHandler extends WebSocketHandler {
  constructor(
    url: string,
    private readonly takeDial: TakeDial,
  ) {
    super(url);
  }

  override async run(...[connection, context]: Parameters<Run>): ReturnType<Run> {
    const { client, info } = connection;
    if (!this.test(client.url, context)) return null;
    const { protocols = [] } = info;
    const taken = this.takeDial(client, typeof protocols === 'string' ? [protocols] : [...protocols]);
    if (!taken) return null;
    await taken;
    return super.run(connection, context);
  }
}
