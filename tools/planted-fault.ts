// The vite plugin behind `pnpm mutants`: changes one place of one source file, as the environment variable says.
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vitest/config';

export interface PlantedFault {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export function plantedFault(): Plugin {
  const path = process.env['HOLDFAST_PLANTED_FAULT'];
  const fault = path ? (JSON.parse(readFileSync(path, 'utf8')) as PlantedFault) : undefined;
  return {
    name: 'planted-fault',
    enforce: 'pre',
    transform(code, id) {
      if (!fault || !id.endsWith(fault.file)) return undefined;
      if (code.split(fault.find).length !== 2) {
        throw new Error(`planted fault: ${fault.file} must hold exactly once: ${fault.find}`);
      }
      return code.replace(fault.find, () => fault.replace);
    },
  };
}
