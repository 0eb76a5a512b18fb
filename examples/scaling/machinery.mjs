// What does a fleet consist of? A Redis, servers that can be restarted, and proxies before them; all are gone at the end.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Programs that come as packages of Debian and Ubuntu. */
const PACKAGES = { 'redis-server': 'redis-server', nginx: 'nginx-light', haproxy: 'haproxy' };

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** @throws saying how to get what is missing */
export function findPrograms() {
  // Debian keeps nginx and haproxy where only root's PATH looks
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].filter((folder) => folder !== '');
  const entries = Object.keys(PACKAGES).map((name) => [
    name,
    folders.map((folder) => join(folder, name)).find(isExecutable),
  ]);
  const missing = entries.filter(([, file]) => !file).map(([name]) => name);
  if (missing.length > 0) {
    const packages = missing.map((name) => PACKAGES[name]).join(' ');
    throw new Error(`${missing.join(', ')} not found; get it by: apt-get install --no-install-recommends ${packages}`);
  }
  return Object.fromEntries(entries);
}

/**
 * @param {number} idle seconds of silence after which the proxies cut a link
 * @param {number} drainOver milliseconds over which a server that leaves sends its clients to the others
 */
export async function createFleet({ idle, drainOver }) {
  const programs = findPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-scaling-'));
  /** What runs, and the signal that ends it: nginx has to be asked, or its worker stays. */
  const running = new Map();
  const log = join(folder, 'handled');
  writeFileSync(log, '');
  const [redisPort, one, two, nginxPort, haproxyPort] = await freePorts(5);
  const ports = [one, two];

  process.once('exit', () => {
    for (const [child, signal] of running) child.kill(signal);
    rmSync(folder, { recursive: true, force: true });
  });

  function keep(child, signal) {
    running.set(child, signal);
    child.once('exit', () => running.delete(child));
    return child;
  }

  /** Resolves when it listens. */
  async function start(name, args, port) {
    const child = keep(spawn(programs[name], args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'SIGTERM');
    await answers(port, child, name);
  }

  function configuration(name, port) {
    const values = { FOLDER: folder, PORT: port, SERVER_1: one, SERVER_2: two, IDLE: idle };
    const text = readFileSync(path(name), 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, key) => String(values[key]));
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  }

  async function startServer(port) {
    const env = {
      ...process.env,
      PORT: String(port),
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      LOG: log,
      DRAIN_OVER: String(drainOver),
    };
    const child = keep(fork(path('server.mjs'), { env }), 'SIGKILL'); // SIGTERM would drain it
    const [first] = await once(child, 'message');
    if (first !== 'ready') throw new Error('a server did not come up');
    return child;
  }

  await start('redis-server', ['--port', redisPort, '--bind', '127.0.0.1', '--save', '', '--dir', folder], redisPort);
  const servers = await Promise.all(ports.map(startServer));
  await start('nginx', ['-e', 'stderr', '-p', folder, '-c', configuration('nginx.conf', nginxPort)], nginxPort);
  await start('haproxy', ['-db', '-q', '-f', configuration('haproxy.cfg', haproxyPort)], haproxyPort);

  return {
    /** Where clients dial. */
    proxies: { nginx: `ws://127.0.0.1:${nginxPort}`, haproxy: `ws://127.0.0.1:${haproxyPort}` },
    size: servers.length,
    /** Every message that some server has handled, in the order of handling. */
    handled: () => readFileSync(log, 'utf8').split('\n').slice(0, -1),
    /** Sends a server's clients away and starts it again. Resolves with how many were told, when the new one is up. */
    async restart(index) {
      const old = servers[index];
      const gone = once(old, 'exit');
      let told = 0;
      old.once('message', (message) => (told = message.told));
      old.kill('SIGTERM');
      await gone;
      servers[index] = await startServer(ports[index]);
      return told;
    },
    async end() {
      const gone = [...running.keys()].map((child) => once(child, 'exit'));
      for (const [child, signal] of running) child.kill(signal);
      await Promise.all(gone);
    },
  };
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when something listens there. */
async function answers(port, child, name) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${name} has ended at once`);
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await setTimeout(20);
    } finally {
      socket.destroy();
    }
  }
}

/** Ports that were free a moment ago. */
async function freePorts(count) {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => once(probe, 'listening')));
  const ports = probes.map((probe) => probe.address().port);
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')));
  return ports;
}
