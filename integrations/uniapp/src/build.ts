// How does a folder of sources become what uni-app would ship?

import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';

export type Platform = 'h5' | 'mp-weixin' | 'mp-alipay';

/**
 * Builds an app in production mode, as `npx uni build -p` does.
 * @param sources the app: index.html, vite.config.js and src
 * @param place where uni-app is installed
 * @param work a folder for the build, outside of any node_modules: uni-app treats what is inside as somebody else's
 * @returns the folder that would be deployed
 */
export async function buildApp(sources: string, place: string, work: string, platform: Platform): Promise<string> {
  const cwd = join(work, platform);
  mkdirSync(cwd, { recursive: true });
  for (const part of ['index.html', 'vite.config.js', 'src']) {
    cpSync(join(sources, part), join(cwd, part), { recursive: true });
  }
  cpSync(join(place, 'package.json'), join(cwd, 'package.json'));
  symlinkSync(join(place, 'node_modules'), join(cwd, 'node_modules'), 'junction');
  const bin = join(place, 'node_modules/@dcloudio/vite-plugin-uni/bin/uni.js');
  const printed = await runProgram(process.execPath, [bin, 'build', '-p', platform], {
    cwd,
    env: { NODE_ENV: 'production' },
  });
  if (!printed.includes('Build complete')) throw new Error(`uni build -p ${platform} said:\n${printed}`);
  return join(cwd, 'dist/build', platform);
}
