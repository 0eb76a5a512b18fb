// How does the page ask for something to break? `GET /control` says how things are, `POST /control/kill` breaks one.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import { ACTIONS, type Action, type Stage, type StageState } from './stage.ts';

export function controlPlugin(stage: Stage): Plugin {
  return {
    name: 'holdfast-playground-control',
    configureServer(vite) {
      vite.middlewares.use('/control', (request: IncomingMessage, response: ServerResponse) => {
        void answer(stage, request).then(([status, body]) => {
          response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
          response.end(JSON.stringify(body));
        });
      });
    },
  };
}

type Answer = readonly [status: number, body: StageState | { readonly error: string }];

async function answer(stage: Stage, request: IncomingMessage): Promise<Answer> {
  if (request.method === 'GET') return [200, stage.state];
  if (request.method !== 'POST') return [405, { error: 'GET or POST' }];
  // any page in this browser may post to this machine; only our own has a say
  if (request.headers.origin !== `http://${request.headers.host}`) return [403, { error: 'not from this page' }];
  const action = ACTIONS.find((each): each is Action => `/${each}` === request.url);
  if (!action) return [404, { error: 'no such action' }];
  try {
    return [200, await stage.perform(action)];
  } catch (error) {
    return [500, { error: String(error) }];
  }
}
