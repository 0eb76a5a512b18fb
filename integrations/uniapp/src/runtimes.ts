// Where do the scenarios run? Each runtime is built, started, asked to run one scenario after the other, and stopped.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { chromium, type Browser } from 'playwright';
import { CHROMIUM_FLAGS, needBrowser } from '../../../tools/browsers/find.ts';
import { buildApp } from './build.ts';
import { createAlipayHost } from './alipay-host.ts';
import { createAppHost } from './app-host.ts';
import { createLoader, createRealm, type Realm } from './realm.ts';
import { createWechatHost } from './wechat-host.ts';
import { packForWechat } from './wechat-npm.ts';
import { serveFolder } from './pages.ts';
import type { Facts } from './facts.ts';
import type { Host } from './host.ts';

export interface Runtime {
  /** @throws where the scenario itself fails, in words */
  run(scenario: string): Promise<Facts>;
  /** The modelled host, where there is one; Chromium is none. */
  readonly host: Host | undefined;
  /** What nobody should have said: warnings of the SDK, errors of the page. */
  complaints(): readonly string[];
  stop(): Promise<void>;
}

/** Where things are, for all runtimes. */
export interface Places {
  /** The app's sources. */
  readonly app: string;
  /** uni-app and the unpacked SDK. */
  readonly uniapp: string;
  /** WeChat's packer. */
  readonly wechat: string;
  /** An empty folder for builds, removed at the end. */
  readonly work: string;
  /** The fault server. */
  readonly server: { url(path: string): string; readonly refusedUrl: string };
}

export const RUNTIMES = {
  H5: startH5,
  'mp-weixin': startWeixin,
  'mp-alipay': startAlipay,
  App: startApp,
  'WeChat npm': startWechatNpm,
} satisfies Record<string, (places: Places) => Promise<Runtime>>;

export type RuntimeName = keyof typeof RUNTIMES;

// ---- a page

async function startH5({ app, uniapp, work, server }: Places): Promise<Runtime> {
  const folder = await buildApp(app, uniapp, work, 'h5');
  const pages = await serveFolder(folder);
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath: needBrowser('chromium'), args: [...CHROMIUM_FLAGS] });
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('pageerror', (error) => said.push(error.message));
    page.on('console', (message) => {
      // what a browser itself prints of a failed dial is no complaint of ours
      if (['warning', 'error'].includes(message.type()) && !isNetworkNoise(message.text())) said.push(message.text());
    });
    // uni-app's pages fetch a picture for a shadow from afar, a few seconds after the start
    await page.route(
      (url) => url.hostname !== '127.0.0.1',
      (route) => route.abort(),
    );
    await page.addInitScript({ path: fileURLToPath(new URL('page-host.js', import.meta.url)) });
    await page.goto(pages.url);
    await page.waitForFunction('window.holdfastScenarios !== undefined');
    const running = browser;
    const control = `holdfastHost(${JSON.stringify(server.url('/').slice(0, -1))}, ${JSON.stringify(server.refusedUrl)})`;
    return {
      host: undefined,
      complaints: () => said,
      run: async (scenario) => (await page.evaluate(`holdfastScenarios('${scenario}', ${control})`)) as Facts,
      async stop() {
        await running.close();
        await pages.close();
      },
    };
  } catch (error) {
    await browser?.close();
    await pages.close();
    throw error;
  }
}

function isNetworkNoise(text: string): boolean {
  return text.startsWith('WebSocket connection to') || text.startsWith('Failed to load resource');
}

// ---- mini-programs

async function startWeixin({ app, uniapp, work, server }: Places): Promise<Runtime> {
  const folder = await buildApp(app, uniapp, work, 'mp-weixin');
  let realm: Realm;
  const host = createWechatHost(() => realm, 'told as 1000');
  realm = createRealm({ ...miniProgramGlobals(), wx: host.api });
  return loadMiniProgram(realm, host, folder, server);
}

async function startAlipay({ app, uniapp, work, server }: Places): Promise<Runtime> {
  const folder = await buildApp(app, uniapp, work, 'mp-alipay');
  const host = createAlipayHost();
  const realm = createRealm({ ...miniProgramGlobals(), my: host.api });
  return loadMiniProgram(realm, host, folder, server);
}

function loadMiniProgram(realm: Realm, host: Host, folder: string, server: Places['server']): Runtime {
  const require = createLoader(realm, folder);
  require('./app.js');
  require('./pages/index/index.js');
  return inRealm(require('./scenarios.js'), realm, host, server);
}

function miniProgramGlobals(): Record<string, unknown> {
  const nothing = (): void => {};
  return {
    App: nothing,
    Page: nothing,
    Component: nothing,
    Behavior: nothing,
    getApp: () => ({}),
    getCurrentPages: () => [],
    global: {},
  };
}

/** What a chunk of scenarios looks like from outside its realm. */
interface Chunk {
  run(name: string, host: unknown): Promise<Facts>;
}

function inRealm(
  exported: unknown,
  realm: Realm,
  host: Host,
  server: Places['server'],
  more: Readonly<Record<string, unknown>> = {},
): Runtime {
  const chunk = exported as Chunk;
  const controls = {
    url: (path: string) => server.url(path),
    refusedUrl: server.refusedUrl,
    hide: () => host.hide(),
    show: () => host.show(),
    pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    ...more,
  };
  return {
    host,
    // by way of JSON: a value of another realm equals nothing of ours
    run: async (scenario) => JSON.parse(JSON.stringify(await chunk.run(scenario, controls))) as Facts,
    complaints: () => [...host.complaints, ...realm.complaints],
    stop: () => Promise.resolve(host.dialler.cutAll()),
  };
}

// ---- an App

async function startApp({ app, uniapp, work, server }: Places): Promise<Runtime> {
  const folder = join(work, 'app');
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(uniapp, 'node_modules'), join(folder, 'node_modules'), 'junction');
  // the runtime renders nothing here; of vue it needs only the hooks of the app
  writeFileSync(
    join(folder, 'vue.cjs'),
    'module.exports = new Proxy({ injectHook: (type, hook) => holdfastInjectHook(type, hook) },' +
      ' { get: (known, name) => known[name] || (() => {}) });\n',
  );
  writeFileSync(
    join(folder, 'runtime.mjs'),
    "import runtime from '@dcloudio/uni-app-plus/dist/uni.runtime.esm.js';\nglobalThis.uni = runtime.uni;\n",
  );
  writeFileSync(join(folder, 'scenarios.js'), readFileSync(join(app, 'src/scenarios.js')));
  const options: BuildOptions = {
    bundle: true,
    format: 'cjs',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    define: { 'process.env.NODE_ENV': '"production"' },
    absWorkingDir: folder,
    logLevel: 'silent',
  };
  const dist = join(folder, 'dist');
  await build({
    ...options,
    entryPoints: ['runtime.mjs'],
    alias: { vue: join(folder, 'vue.cjs') },
    outdir: dist,
  });
  await build({ ...options, entryPoints: ['scenarios.js'], outdir: dist });

  const host = createAppHost();
  const realm = createRealm(host.globals);
  const require = createLoader(realm, dist);
  require('./runtime.js');
  return inRealm(require('./scenarios.js'), realm, host, server);
}

// ---- a mini-program without uni-app, from the packages that WeChat's own tool has packed

async function startWechatNpm({ app, uniapp, wechat, work, server }: Places): Promise<Runtime> {
  const scenarios = readFileSync(join(app, 'src/scenarios.js'), 'utf8');
  const folder = await packForWechat(wechat, join(uniapp, 'node_modules'), join(work, 'wechat'), scenarios);
  let realm: Realm;
  const host = createWechatHost(() => realm, 'silent');
  realm = createRealm({ ...miniProgramGlobals(), wx: host.api });
  const require = createLoader(realm, folder, 'miniprogram_npm');
  const connectSocket = (options: unknown): unknown => (host.api['connectSocket'] as (o: unknown) => unknown)(options);
  return inRealm(require('./scenarios.js'), realm, host, server, { connectSocket });
}
