// What does the host tell of the app and of the network?
//
// One subscription for each event of the host, for all clients of the process and for ever: on Alipay uni-app's `off…`
// takes nothing off, so whoever subscribed for each client would be told as often as there ever were clients. What
// stays with the host is a function that knows of nobody once the last client has left.

import type { Hint } from '@holdfast/core';
import { miniProgram, onAppHide, onAppShow, onNetwork } from './host.ts';

const watchers = new Set<(hint: Hint) => void>();
let state: 'not listening' | 'shown' | 'hidden' = 'not listening';

/**
 * Tells `suspend` and `resume` where a host cuts the network of a hidden app, that is in mini-programs; `visible` in an
 * App and on a page; `online` and `offline` everywhere. Returns a stop, which may be called twice.
 */
export function watchHost(tell: (hint: Hint) => void): () => void {
  listen();
  const watcher = (hint: Hint): void => tell(hint);
  watchers.add(watcher);
  if (state === 'hidden' && miniProgram()) tell('suspend');
  return () => void watchers.delete(watcher);
}

function listen(): void {
  if (state !== 'not listening') return;
  state = 'shown';
  quietly(() => onAppShow(shown));
  quietly(() => onAppHide(hidden));
  quietly(() => onNetwork((isConnected) => tellAll(isConnected ? 'online' : 'offline')));
}

function shown(): void {
  state = 'shown';
  tellAll(miniProgram() ? 'resume' : 'visible');
}

function hidden(): void {
  state = 'hidden';
  if (miniProgram()) tellAll('suspend');
}

function tellAll(hint: Hint): void {
  Array.from(watchers).forEach((watcher) => {
    if (watchers.has(watcher)) watcher(hint);
  });
}

/** An event that a host lacks, or only pretends to have, is a hint less. */
function quietly(subscribe: () => void): void {
  try {
    subscribe();
  } catch {
    // see above
  }
}
