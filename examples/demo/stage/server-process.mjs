// The server's own process: runs the `serve` of one act, and answers what that act asks it.

import { createBirpc } from 'birpc';

const act = await import(process.argv[2]);

const answers = {
  /** @returns {Promise<number>} the port */
  async begin(options) {
    const { server, ...more } = act.serve(options);
    Object.assign(answers, more);
    await server.listening();
    return server.port;
  },
};

createBirpc(answers, {
  post: (data) => process.send(data),
  on: (listener) => process.on('message', listener),
});

process.once('disconnect', () => process.exit());
process.send('ready');
