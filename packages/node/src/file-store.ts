// Where does a script keep its session while it is not running?

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** For `storedBy` of @holdfast/session. */
export interface FileStore {
  load(): string | undefined;
  save(text: string): void;
  remove(): void;
}

/**
 * One file. Each text is written beside it and then takes its place, so that a crash leaves the old one or the new one
 * and never a half. Synchronously, since whatever was handed to the socket in this turn must be on the disk before the
 * next; readable only by its owner, for it holds the session's token.
 */
export function fileStore(path: string): FileStore {
  const beside = `${path}.new`;
  return {
    load() {
      try {
        return readFileSync(path, 'utf8');
      } catch (cause) {
        if ((cause as { code?: unknown }).code === 'ENOENT') return undefined;
        throw cause;
      }
    },
    save(text) {
      writeFileSync(beside, text, { mode: 0o600 });
      renameSync(beside, path);
    },
    remove: () => rmSync(path, { force: true }),
  };
}
