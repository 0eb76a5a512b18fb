// What can be broken, and how is it mended? A server behind a fault proxy.

import { createFaultProxy } from '@holdfast/testing';
import { createServerHandle } from './server-handle.ts';

/** How the way to the server is. */
export type Link = 'clear' | 'silent' | 'slow' | 'refusing';

/** What the page asks for, by name. */
export const ACTIONS = ['kill', 'restart', 'drain', 'silence', 'delay', 'refuse', 'clear', 'mend'] as const;
export type Action = (typeof ACTIONS)[number];

/** What the page is told in return. */
export interface StageState {
  /** Where the page's client dials: the proxy, behind which is the server. */
  readonly url: string;
  readonly server: 'up' | 'down';
  readonly link: Link;
}

export interface Stage {
  readonly state: StageState;
  /** One after the other, in the order in which they were asked for. */
  perform(action: Action): Promise<StageState>;
  close(): Promise<void>;
}

/** Milliseconds that everything takes each way on a slow link. */
const DELAY = 300;

export async function createStage(): Promise<Stage> {
  const server = await createServerHandle();
  const proxy = await createFaultProxy({ port: server.port });
  let link: Link = 'clear';
  let last: Promise<unknown> = Promise.resolve();

  const state = (): StageState => ({ url: proxy.url('/'), server: server.isUp ? 'up' : 'down', link });

  async function act(action: Action): Promise<void> {
    switch (action) {
      case 'kill':
        return server.kill();
      case 'restart':
        return server.restart();
      case 'drain':
        return server.drain();
      case 'silence':
        link = 'silent';
        return proxy.blackhole();
      case 'delay':
        link = 'slow';
        return proxy.delay(DELAY);
      case 'refuse':
        link = 'refusing';
        proxy.pass();
        proxy.refuse();
        return proxy.cut(); // or else the link that is open would hide that no other comes
      case 'clear':
        link = 'clear';
        return proxy.pass();
      case 'mend':
        link = 'clear';
        proxy.pass();
        return server.isUp ? undefined : server.restart();
    }
  }

  return {
    get state() {
      return state();
    },
    perform(action) {
      const turn = last.then(() => act(action));
      last = turn.catch(() => {}); // told to whoever asked for it
      return turn.then(state);
    },
    async close() {
      await last;
      await proxy.close();
      await server.kill();
    },
  };
}
