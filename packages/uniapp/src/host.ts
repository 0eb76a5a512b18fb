// Where are we, and what is there?
//
// `uni` is named here and nowhere else, and always as `uni.member`: in an H5 production build the object is empty, and
// only that very text is replaced by the function it means. So no object named `uni` is ever passed on.

import { createClock, type Clock } from '@holdfast/core';
import type { ConnectSocket, ConnectSocketOptions } from './task.ts';

type Listen = (listener: (news: unknown) => void) => void;

/** The events that a host has for an application; any of them may be missing. */
interface HostEvents {
  readonly onAppShow?: Listen;
  readonly onAppHide?: Listen;
  readonly onNetworkStatusChange?: Listen;
}

interface Page {
  addEventListener?(name: string, listener: () => void): void;
}

declare const uni: HostEvents & { readonly connectSocket: ConnectSocket };
declare const wx: HostEvents, my: HostEvents, tt: HostEvents, swan: HostEvents, qq: HostEvents;
declare const ks: HostEvents, jd: HostEvents, xhs: HostEvents, has: HostEvents;
declare const document: unknown;
declare const window: Page | undefined;
declare const WebSocket: unknown;
declare const location: { readonly href: string };
declare const URL: new (url: string, base: string) => { readonly href: string };
declare function setTimeout(wakeUp: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;

/** The default. @throws where there is no `uni` */
export function connectSocket(options: ConnectSocketOptions): ReturnType<ConnectSocket> {
  if (typeof uni === 'undefined' || typeof uni.connectSocket !== 'function') {
    throw new Error('there is no uni.connectSocket here; give connectSocket: (options) => wx.connectSocket(options)');
  }
  return uni.connectSocket(options);
}

/** H5: a page in a browser, where sockets are `WebSocket`s, so no header of ours is sent. Taro has a document, but no WebSocket. */
export function isPage(): boolean {
  return typeof document !== 'undefined' && typeof WebSocket === 'function';
}

/** The absolute form of a URL on a page (WHATWG WebSockets, `new WebSocket(url)`). */
export function resolveUrl(url: string): string {
  if (typeof location === 'undefined' || typeof URL === 'undefined') return url;
  return new URL(url, location.href).href.replace(/^http/, 'ws');
}

/** The object of a mini-program's host. In an App there is none, and on a page one of the name is something else. */
export function miniProgram(): HostEvents | undefined {
  if (isPage()) return undefined;
  return [
    typeof wx === 'undefined' ? undefined : wx,
    typeof my === 'undefined' ? undefined : my,
    typeof tt === 'undefined' ? undefined : tt,
    typeof swan === 'undefined' ? undefined : swan,
    typeof qq === 'undefined' ? undefined : qq,
    typeof ks === 'undefined' ? undefined : ks,
    typeof jd === 'undefined' ? undefined : jd,
    typeof xhs === 'undefined' ? undefined : xhs,
    typeof has === 'undefined' ? undefined : has,
  ].filter((host) => typeof host === 'object' && host !== null)[0];
}

export function onAppShow(shown: () => void): void {
  if (typeof uni !== 'undefined' && typeof uni.onAppShow === 'function') uni.onAppShow(shown);
  else miniProgram()?.onAppShow?.(shown);
}

export function onAppHide(hidden: () => void): void {
  if (typeof uni !== 'undefined' && typeof uni.onAppHide === 'function') uni.onAppHide(hidden);
  else miniProgram()?.onAppHide?.(hidden);
}

/** The network came, or went. A page asks its window: there, uni-app's own event says connected when it is not. */
export function onNetwork(changed: (isConnected: boolean) => void): void {
  if (isPage()) {
    if (typeof window === 'undefined' || !window?.addEventListener) return;
    window.addEventListener('online', () => changed(true));
    window.addEventListener('offline', () => changed(false));
    return;
  }
  const heard = (news: unknown): void => {
    const { isConnected } = (news ?? {}) as { isConnected?: unknown };
    if (typeof isConnected === 'boolean') changed(isConnected); // networkType has too many spellings to be trusted
  };
  if (typeof uni !== 'undefined' && typeof uni.onNetworkStatusChange === 'function') uni.onNetworkStatusChange(heard);
  else miniProgram()?.onNetworkStatusChange?.(heard);
}

/** Time elapsed by the wall clock, since timers stand still while the app is suspended and then all fire at once. */
export function hostClock(): Clock {
  return createClock({
    read: () => Date.now(),
    setTimeout: (wakeUp, ms) => setTimeout(wakeUp, ms),
    clearTimeout: (timer) => clearTimeout(timer),
  });
}
