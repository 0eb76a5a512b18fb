// What does the page know that a socket does not?

import type { Hint } from '@holdfast/core';

/** `navigator.connection`, where a browser tells of a change of network (Network Information API, Chromium). */
type NetworkInformation = Partial<EventTarget>;

/**
 * Tells a page's signals as hints, and what a worker has of them:
 * - `online`, `offline`, and a change of network as `online`: HTML §9.7, Network Information API
 * - shown again (`visibilitychange`), thawed (`resume` of the Page Lifecycle API): `visible`
 * - into the back/forward cache and out of it (`pagehide` and `pageshow`, `persisted`): `suspend` and `resume`, since
 *   nothing of a page runs in there. There is no `unload` or `beforeunload` listener, which would bar the page from that
 *   cache.
 *
 * `goesAway` is called after `suspend` is told, `cameBack` before `resume`.
 * @returns a stop that takes every listener off
 */
export function watchPage(tell: (hint: Hint) => void, goesAway: () => void, cameBack: () => void): () => void {
  const stops: (() => void)[] = [];
  const listen = (target: Partial<EventTarget> | undefined, name: string, heard: (event: Event) => void): void => {
    if (typeof target?.addEventListener !== 'function') return; // React Native has a window that cannot be listened to
    target.addEventListener(name, heard);
    stops.push(() => target.removeEventListener?.(name, heard));
  };

  const page = typeof document === 'undefined' ? undefined : document;
  const scope = typeof self === 'undefined' ? undefined : (self as Partial<EventTarget>);
  const network =
    typeof navigator === 'undefined' ? undefined : (navigator as { connection?: NetworkInformation }).connection;

  listen(scope, 'online', () => tell('online'));
  listen(scope, 'offline', () => tell('offline'));
  listen(network, 'change', () => tell('online'));
  listen(page, 'visibilitychange', () => {
    if (page!.visibilityState === 'visible') tell('visible');
  });
  listen(page, 'resume', () => tell('visible'));
  listen(scope, 'pagehide', (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    tell('suspend');
    goesAway();
  });
  listen(scope, 'pageshow', (event) => {
    if (!(event as PageTransitionEvent).persisted) return;
    cameBack();
    tell('resume');
  });
  return () => stops.splice(0).forEach((stop) => stop());
}
