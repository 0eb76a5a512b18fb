// How is the app built? `tsx build.ts mp-weixin`, or h5, or mp-alipay; the folder to open is printed.
//
// In an app of your own this is `npx uni build -p mp-weixin`. Here uni-app itself is installed apart from the
// workspace, for it is large, and the SDK comes from the packages as they would be published.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp, type Platform } from '../../integrations/uniapp/src/build.ts';
import { installApp } from '../../integrations/uniapp/src/install.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Builds into dist, here. @returns that folder */
export async function buildExample(platform: Platform): Promise<string> {
  const place = await installApp((line) => console.log(line));
  const work = mkdtempSync(join(tmpdir(), 'holdfast-uniapp-example-'));
  const dist = join(here, 'dist', platform);
  try {
    const built = await buildApp(join(here, 'app'), place, work, platform);
    rmSync(dist, { recursive: true, force: true });
    cpSync(built, dist, { recursive: true });
    return dist;
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const platform = process.argv[2] ?? '';
  if (!isPlatform(platform)) throw new Error(`h5, mp-weixin or mp-alipay; not ${platform}`);
  console.log(`open this folder in the developers' tools: ${await buildExample(platform)}`);
}

function isPlatform(text: string): text is Platform {
  return ['h5', 'mp-weixin', 'mp-alipay'].includes(text);
}
