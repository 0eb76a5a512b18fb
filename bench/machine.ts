// On what, and when, was it measured?

import { cpus } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly v8: string;
  readonly date: string;
}

export function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? process.arch,
    cores: cpus().length,
    node: process.version,
    v8: process.versions.v8,
    date: new Date().toISOString().slice(0, 10),
  };
}

export function machineLine({ cpu, cores, node, date }: Machine): string {
  return `${cpu}, ${cores} cores, Node ${node}, ${date}`;
}
