// What do the pages dial, and how do they ask the server what it has seen?

import { createServer } from 'node:http';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { createFaultServer } from '@holdfast/testing';
import type { TestProject } from 'vitest/node';

/** How pages reach the fault server of this run. */
export interface Faults {
  /** `ws://host:port`, without a path. */
  readonly origin: string;
  readonly refusedUrl: string;
  /** `ws://host:port` of one that takes connections and answers none. */
  readonly hanging: string;
  /** Answers a GET with how many WebSockets the server has. */
  readonly witness: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    faults: Faults;
  }
}

/**
 * Dials that hang have an address of their own, and an end: a browser has one dial at a time under way to an address (RFC
 * 6455 §4.1), and Firefox may go on with one that the page has given up, which then stands before every other.
 */
const HANGS_AT = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';
const HANGS_FOR = 2_000;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await createFaultServer();
  const witness = createServer((_, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.end(String(server.connections.size));
  }).listen(0, '127.0.0.1');
  const hanging = createTcpServer((socket) => {
    socket.on('error', () => {}); // the page may be gone first
    socket.resume();
    setTimeout(() => socket.destroy(), HANGS_FOR).unref();
  }).listen(0, HANGS_AT);
  await Promise.all([once(witness, 'listening'), once(hanging, 'listening')]);

  project.provide('faults', {
    origin: server.url(''),
    refusedUrl: server.refusedUrl,
    hanging: `ws://${HANGS_AT}:${(hanging.address() as AddressInfo).port}`,
    witness: `http://127.0.0.1:${(witness.address() as AddressInfo).port}`,
  });
  return async () => {
    witness.closeAllConnections();
    witness.close();
    hanging.close();
    await server.close();
  };
}
