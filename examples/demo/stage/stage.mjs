// What may an act use? A server in another process, bounded waits, and lines to say; all of it is gone at its end.

import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBirpc } from 'birpc';
import { pEvent } from 'p-event';

/** No single wait of an act lasts longer, in milliseconds. */
const LONGEST_WAIT = 10_000;

const SERVER_PROCESS = fileURLToPath(new URL('./server-process.mjs', import.meta.url));

/**
 * @typedef {object} Row One promise of an act, what was found of it, and whether it held.
 * @property {string} promise
 * @property {string} found
 * @property {boolean} held
 *
 * @typedef {object} Outcome What an act's `run` returns.
 * @property {string} summary its one line in the table
 * @property {Record<string, unknown>} figures the same for machines
 * @property {Row[]} rows
 *
 * @typedef {{ type: 'line', text: string } | { type: 'table', head: string[], rows: (string | number)[][] }} Shown
 */

/**
 * @param {string} act URL of the act's module, whose `serve` is the server
 * @param {ServerProcess} house the process for servers that need none of their own
 */
export function createStage(act, house) {
  /** @type {Shown[]} */
  const shown = [];
  const closing = [];

  return {
    /** What the act said, in order. */
    shown,

    /** One line for whoever watches. */
    say(text = '') {
      shown.push({ type: 'line', text });
    },

    /** A small table for whoever watches. */
    table(head, ...rows) {
      shown.push({ type: 'table', head, rows });
    },

    /** The server of this act, listening, in the process that the acts share. */
    async serve(options = {}) {
      const server = createServerHandle(house, act);
      closing.push(() => house.rpc.end(act));
      await server.begin(options);
      return server;
    },

    /** One in a process of its own, which may be killed; loaded but not listening: `begin(options)` does that. */
    async prepare() {
      const own = await createServerProcess();
      closing.push(() => own.end());
      await own.rpc.load(act);
      return { ...own, ...createServerHandle(own, act) };
    },

    /** Resolves with what the next `event` tells; rejects after `timeout` milliseconds. */
    async next(emitter, event, timeout = LONGEST_WAIT) {
      try {
        return await pEvent(emitter, event, { timeout, rejectionEvents: [] });
      } catch (cause) {
        throw new Error(`no '${event}' within ${timeout} ms`, { cause });
      }
    },

    /** Anything with a `close()`, closed when the act ends. */
    closeAtEnd(closable) {
      closing.push(() => closable.close());
      return closable;
    },

    /** The path of a file that does not exist yet and is removed when the act ends. */
    temporaryFile(name) {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
      closing.push(() => rmSync(folder, { recursive: true }));
      return join(folder, name);
    },

    /** Ends what the act began, the last first. */
    async end() {
      for (const close of closing.splice(0).reverse()) await close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof createServerProcess>>} ServerProcess */

/** A process for servers, with none in it yet. */
export async function createServerProcess() {
  // what a server prints is no part of the demo's own output, which a machine may read
  const child = fork(SERVER_PROCESS, { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const rpc = createBirpc(
    {},
    {
      post: (data) => child.send(data, () => {}), // one that is killed does not hear it
      on: (listener) => child.on('message', listener),
      timeout: LONGEST_WAIT,
    },
  );
  await pEvent(child, 'message', { timeout: LONGEST_WAIT, rejectionEvents: ['error', 'exit'] });

  return {
    rpc,
    /** It does nothing any more, and its connections stay open. Windows knows no such thing. */
    freeze() {
      if (process.platform !== 'win32') child.kill('SIGSTOP');
    },
    /** SIGKILL: nothing is said to anybody. Resolves when the process is gone. */
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async end() {
      rpc.$close();
      if (child.connected) child.disconnect();
      const impatience = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await exited;
      clearTimeout(impatience);
    },
  };
}

/** One act's server in a process. */
function createServerHandle({ rpc }, act) {
  return {
    port: 0,
    /** Listens; `port` is known from here on. */
    async begin(options = {}) {
      this.port = await rpc.begin(act, options);
    },
    url(path = '/') {
      return `ws://127.0.0.1:${this.port}${path}`;
    },
    /** Calls one of the functions that the act's `serve` returned, over there. */
    ask: (question, ...args) => rpc.ask(act, question, ...args),
  };
}
