// The servers' own process: runs the `serve` of one act or several, and answers what an act asks its server.

import { createBirpc } from 'birpc';

/** What each act's `serve` returned, by the URL of the act. */
const served = new Map();

createBirpc(
  {
    /** @returns {Promise<void>} when `begin` has nothing left to load */
    async load(act) {
      await import(act);
    },
    /** @returns {Promise<number>} the port */
    async begin(act, options) {
      const { serve } = await import(act);
      served.set(act, serve(options));
      const { server } = served.get(act);
      await server.listening();
      return server.port;
    },
    ask: (act, question, ...args) => served.get(act)[question](...args),
    end: (act) => served.get(act)?.server.close({ timeout: 100 }),
  },
  {
    post: (data) => process.send(data, () => {}), // whoever asked may be gone
    on: (listener) => process.on('message', listener),
  },
);

process.once('disconnect', () => process.exit());
process.send('ready');
