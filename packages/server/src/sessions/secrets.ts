// Which names, secrets and tags does a session get?

import { createHash } from 'node:crypto';
import type { SessionPlatform } from './platform.ts';

export interface Secrets {
  /** 16 random bytes, base64url. */
  sid(): string;
  /** 32 random bytes, base64url. Whoever has it, and the principal's credentials, has the session. */
  token(): string;
  /** 32 random bits. */
  tag(): number;
}

/** Tags are drawn a block at a time, since one is needed for each message. */
const TAGS_PER_BLOCK = 256;

export function createSecrets({ randomBytes }: Pick<SessionPlatform, 'randomBytes'>): Secrets {
  let block: DataView = new DataView(new ArrayBuffer(0));
  let used = 0;

  const word = (count: number) => Buffer.from(randomBytes(count)).toString('base64url');
  return {
    sid: () => word(16),
    token: () => word(32),
    tag() {
      if (used === block.byteLength) {
        const bytes = randomBytes(4 * TAGS_PER_BLOCK);
        block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        used = 0;
      }
      const tag = block.getUint32(used);
      used += 4;
      return tag;
    },
  };
}

/** All that a store ever sees of a token: who reads the store cannot resume a session. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
