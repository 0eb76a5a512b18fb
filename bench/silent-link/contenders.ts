// What runs in the page: each contender, told as well as it can be told to notice a silent link.

import { connect } from '@holdfast/browser';
import { useWebSocket } from '@vueuse/core';
import { WebSocket as PartySocket } from 'partysocket';
import { effectScope } from 'vue';

/** What all that have a heartbeat are given, in milliseconds. */
const INTERVAL = 200;
const TIMEOUT = 200;

/** Makes a client that dials `url`, where an echo answers. */
export type Contender = (url: string) => void;

const CONTENDERS: Readonly<Record<string, Contender>> = {
  holdfast: (url) => connect(url, { heartbeat: { interval: INTERVAL, timeout: TIMEOUT, reply: 'ping' } }),
  // it has no heartbeat to set
  partysocket: (url) => new PartySocket(url, []),
  // without its usual wait of 1 s before it dials, so that noticing alone is measured
  vueuse: (url) =>
    effectScope().run(() =>
      useWebSocket(url, {
        heartbeat: { message: 'ping', responseMessage: 'ping', interval: INTERVAL, pongTimeout: TIMEOUT },
        autoReconnect: { delay: 0 },
      }),
    ),
};

Object.assign(globalThis, {
  /** Called from outside the page, once per round. */
  dial: (contender: string, url: string) => CONTENDERS[contender]!(url),
});
