// Which server is behind which path, for a page and for a worker alike?

import type { Faults } from './global-setup.ts';

/** What a case needs to know of the servers. */
export interface Addresses {
  url(path: string): string;
  readonly refusedUrl: string;
}

export function addressesOf({
  origin,
  hanging,
  refusedUrl,
}: Pick<Faults, 'origin' | 'hanging' | 'refusedUrl'>): Addresses {
  return { url: (path) => (path.startsWith('/hang') ? hanging : origin) + path, refusedUrl };
}
