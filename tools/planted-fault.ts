// How is a fault planted? Each replaces one place of one source file; with `pnpm mutants` a vite plugin does it, as an environment variable says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

export interface PlantedFault {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Looked at before any is planted: code that has moved on would be found days later, when it is that fault's turn. */
export function checkThatItFits({ file, find }: PlantedFault): void {
  const times = readFileSync(join(ROOT, file), 'utf8').split(find).length - 1;
  if (times !== 1) throw new Error(`planted fault: ${file} must hold exactly once, and not ${times} times: ${find}`);
}

export function plantedFault(): Plugin {
  const path = process.env['HOLDFAST_PLANTED_FAULT'];
  const fault = path ? (JSON.parse(readFileSync(path, 'utf8')) as PlantedFault) : undefined;
  return {
    name: 'planted-fault',
    enforce: 'pre',
    transform(code, id) {
      if (!fault || !id.endsWith(fault.file)) return undefined;
      return code.replace(fault.find, () => fault.replace);
    },
  };
}
