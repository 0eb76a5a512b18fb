// Does the example do what its page shows? As H5 at the size of a phone, against its own server; and as a mini-program,
// as far as it can be loaded here.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright';
import { CHROMIUM_FLAGS, needBrowser } from '../../../tools/browsers/find.ts';
import { startChat } from '../../../examples/uniapp/chat-server.ts';
import { buildApp } from './build.ts';
import { createLoader, createRealm } from './realm.ts';
import { createWechatHost } from './wechat-host.ts';
import { filesOf } from './pages.ts';

const example = fileURLToPath(new URL('../../../examples/uniapp', import.meta.url));
const reference = join(example, 'screenshot.png');
const PHONE = { width: 390, height: 844 };
/** Of the blocks; other fonts change some 1 %, a missing send box 5 %. */
const MAY_DIFFER = 0.03;

/** Builds the page, chats, cuts the server, writes into the dark, and brings the server back. @throws what is not so */
export async function checkPage(uniapp: string, work: string): Promise<void> {
  const files = filesOf(await buildApp(join(example, 'app'), uniapp, work, 'h5'));
  let chat = await startChat(files, 0);
  const browser = await chromium.launch({ executablePath: needBrowser('chromium'), args: [...CHROMIUM_FLAGS] });
  try {
    const page = await browser.newPage({ viewport: PHONE, hasTouch: true, isMobile: true, locale: 'en-GB' });
    const thrown: string[] = [];
    page.on('pageerror', (error) => thrown.push(error.message));
    const { hostname, port } = new URL(chat.url);
    await page.route(
      (url) => url.hostname !== hostname,
      (route) => route.abort(),
    );
    chat.say('Bob', 'Hello Ann, is the tunnel still closed?');
    await page.goto(chat.url);
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByText('Hello Ann').waitFor();
    await say(page, 'Open again since this morning.');
    await page.getByText('not sent yet').waitFor({ state: 'detached' });
    chat.say('Bob', 'Then I take the train.');
    await page.getByText('Then I take').waitFor();

    await chat.close();
    await page.getByText('Reconnecting').waitFor();
    await say(page, 'We are in it now, see you on the other side.');
    await page.getByText('not sent yet').waitFor();
    await page.getByText('no connection, trying again').waitFor();
    await compareWithReference(page);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width, 'nothing sticks out');

    chat = await startChat(files, Number(port));
    await page.getByText('Connected', { exact: true }).waitFor();
    await page.getByText('not sent yet').waitFor({ state: 'detached' });
    assert.deepEqual(thrown, []);
  } finally {
    await browser.close();
    await chat.close();
  }
}

async function say(page: Page, words: string): Promise<void> {
  await page.locator('input').fill(words);
  await page.getByText('Send', { exact: true }).tap();
  await page.getByText(words).waitFor();
  await page.waitForFunction("document.querySelector('input').value === ''"); // uni-app takes 100 ms for it
}

/** With `HOLDFAST_UPDATE=1`, or where there is none, writes the reference instead. */
async function compareWithReference(page: Page): Promise<void> {
  await page.locator('input').blur();
  const shot = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  if (process.env['HOLDFAST_UPDATE'] === '1' || !existsSync(reference)) {
    writeFileSync(reference, shot);
    return;
  }
  const judge = await page.context().browser()!.newPage();
  await judge.addScriptTag({ path: fileURLToPath(new URL('compare-images.js', import.meta.url)) });
  const [one, other] = [shot, readFileSync(reference)].map((png) => `data:image/png;base64,${png.toString('base64')}`);
  const different = Number(await judge.evaluate(`holdfastCompare('${one}', '${other}')`));
  await judge.close();
  assert.ok(different <= MAY_DIFFER, `${(100 * different).toFixed(1)} % of the picture is not as in ${reference}`);
}

/** Builds it for WeChat and loads every file, where nothing of a browser is. @throws what is not so */
export async function checkMiniProgram(uniapp: string, work: string): Promise<void> {
  const folder = await buildApp(join(example, 'app'), uniapp, work, 'mp-weixin');
  const host = createWechatHost(() => realm, 'silent');
  let pages = 0;
  const nothing = (): void => {};
  const realm = createRealm({
    wx: host.api,
    global: {},
    App: nothing,
    Page: nothing,
    Behavior: nothing,
    Component: () => void (pages += 1),
    getApp: () => ({}),
    getCurrentPages: () => [],
  });
  const require = createLoader(realm, folder);
  require('./app.js');
  require('./pages/chat/chat.js');
  assert.equal(pages, 1, 'one page is registered');
  assert.deepEqual([...host.complaints, ...realm.complaints], []);
  const shipped = ['config.js', 'pages/chat/chat.js', 'common/vendor.js', 'chat.js']
    .map((name) => join(folder, name))
    .filter(existsSync)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  assert.match(shipped, /wss:\/\/chat\.example\.com\/chat/);
}
