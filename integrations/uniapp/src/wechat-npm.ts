// Does WeChat's own npm build take the packages?

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { runProgram } from './program.ts';

const pack = fileURLToPath(new URL('../wechat/pack.mjs', import.meta.url));

interface Packed {
  readonly miniProgramPackNum: number;
  readonly otherNpmPackNum: number;
  readonly warnList: readonly { readonly msg: string }[];
}

/** What an app of WeChat's asks for, and what comes with it. */
const WANTED = ['@holdfast/uniapp', '@holdfast/browser'];
const EXPECTED = [...WANTED, '@holdfast/core', 'base64-arraybuffer', 'eventemitter3'];

/**
 * Packs the SDK by the tool that WeChat's developers' tools use, and puts the scenarios beside it.
 * @param place where the tool is installed
 * @param nodeModules with the unpacked SDK and its dependencies
 * @param project a folder to make
 * @returns that folder, with scenarios.js and miniprogram_npm
 * @throws with the tool's warnings, if it has any: it skips such a package and says that all is well
 */
export async function packForWechat(
  place: string,
  nodeModules: string,
  project: string,
  scenarios: string,
): Promise<string> {
  mkdirSync(project, { recursive: true });
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ dependencies: Object.fromEntries(WANTED.map((name) => [name, '*'])) }),
  );
  // copies, for the tool follows no link
  for (const name of EXPECTED) {
    cpSync(join(nodeModules, name), join(project, 'node_modules', name), { recursive: true });
  }
  const printed = await runProgram(process.execPath, [pack, place, project], { cwd: project });
  // files that it cannot read are told nowhere else
  if (/fail|warn|error/i.test(printed)) throw new Error(`WeChat's npm build says:\n${printed}`);

  const packed = JSON.parse(readFileSync(join(project, 'packed.json'), 'utf8')) as Packed;
  if (packed.warnList.length > 0) {
    throw new Error(`WeChat's npm build warns:\n${packed.warnList.map(({ msg }) => msg).join('\n')}`);
  }
  for (const name of EXPECTED) {
    if (!existsSync(join(project, 'miniprogram_npm', name, 'index.js'))) {
      throw new Error(`WeChat's npm build left ${name} out`);
    }
  }
  const { code } = await transform(scenarios, { format: 'cjs', target: 'es2018' });
  writeFileSync(join(project, 'scenarios.js'), code);
  return project;
}
