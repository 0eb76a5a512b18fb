// Does what we would publish work in a page, bundled and not? From packed tarballs, in a folder that knows nothing of ours.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildIfOld } from '../../../bench/build.ts';
import { launchChromium } from '../../../bench/chromium.ts';

const path = (url: string): string => fileURLToPath(new URL(url, import.meta.url));
const { packageManager } = JSON.parse(readFileSync(path('../../../package.json'), 'utf8')) as {
  packageManager: string;
};

const folder = mkdtempSync(join(tmpdir(), 'holdfast-browser-app-'));
let browser: Browser;
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  const packages = [...neededBy(path('../'))];
  packages.forEach(buildIfOld);
  const tarballs = Object.fromEntries(packages.map(pack));
  const app = join(folder, 'app');
  cpSync(path('../'), app, {
    recursive: true,
    filter: (from) => !/[/\\](node_modules|dist|test)$/.test(from),
  });
  const manifest = readFileSync(join(app, 'package.json'), 'utf8');
  writeFileSync(
    join(app, 'package.json'),
    manifest.replaceAll(/"([@\w/]+)": "workspace:\*"/g, (_, name: string) => `"${name}": "file:${tarballs[name]}"`),
  );
  // our packages name each other by version, and nothing is published yet
  const overrides = Object.entries(tarballs).map(([name, tarball]) => `  '${name}': 'file:${tarball}'\n`);
  writeFileSync(
    join(app, 'pnpm-workspace.yaml'),
    `packages: []\nnodeLinker: hoisted\nminimumReleaseAge: 0\noverrides:\n${overrides.join('')}`,
  );
  pnpm(app, ['install', '--prefer-offline', '--no-frozen-lockfile']);
  pnpm(app, ['run', 'build']);
  browser = await launchChromium();
  server = spawn(process.execPath, ['server.mjs'], {
    cwd: app,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout! })) {
    url = /http:\S+/.exec(line)?.[0] ?? '';
    if (url) break;
  }
  server.stdout!.resume();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  if (server) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  rmSync(folder, { recursive: true });
});

for (const page of ['', 'no-bundler.html']) {
  test(`/${page} opens, sends, and shows what comes back`, { timeout: 30_000 }, async () => {
    const tab = await browser.newPage();
    const faults: string[] = [];
    tab.on('pageerror', (error) => faults.push(String(error)));
    await tab.goto(url + page);
    const log = tab.getByRole('log');
    await log.filter({ hasText: /^open\n/ }).waitFor();
    await tab.getByLabel('Message').fill('is anybody there?');
    await tab.getByRole('button', { name: 'Send' }).click();
    await log.filter({ hasText: 'came back' }).waitFor();
    expect(await log.textContent()).toBe('open\nsent\ncame back: is anybody there?\n');
    expect(faults).toEqual([]);
    await tab.close();
  });
}

test('the bundle holds no ws and nothing else of Node', () => {
  const assets = join(folder, 'app/dist/assets');
  const scripts = readdirSync(assets).filter((file) => file.endsWith('.js'));
  expect(scripts).toHaveLength(1);
  const code = readFileSync(join(assets, scripts[0]!), 'utf8');
  // what ws cannot do without: the key's suffix (RFC 6455 §1.3), its classes, Node's modules
  expect(code).not.toMatch(
    /258EAFA5-E914-47DA-95CA-C5AB0DC85B11|WebSocketServer|PerMessageDeflate|__vite-browser-external/,
  );
  expect(code).not.toMatch(/["'](?:node:\w+|ws|net|tls|crypto|http|https)["']/);
});

/** The folders of our own packages that this one needs, directly or not. */
function neededBy(folder: string, found = new Set<string>()): Set<string> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const [name, version] of Object.entries(dependencies)) {
    const own = name.replace('@holdfast/', '');
    if (!version.startsWith('workspace:') || found.has(own)) continue;
    neededBy(path(`../../../packages/${own}/`), found.add(own));
  }
  return found;
}

/** The name of a package, and its tarball. */
function pack(name: string): [name: string, tarball: string] {
  const output = pnpm(path(`../../../packages/${name}`), ['pack', '--json', '--pack-destination', folder]);
  const packed = JSON.parse(output) as { name: string; filename: string };
  return [packed.name, packed.filename];
}

/** The version that this repository names, since a machine may have another, or none. */
function pnpm(cwd: string, args: readonly string[]): string {
  return execFileSync('npx', ['-y', packageManager, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
