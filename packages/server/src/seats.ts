// Is there room for one more, in all and from one address?

/** One place taken. Giving it back twice gives back one. */
export interface Seat {
  release(): void;
}

export interface Seats {
  take(address: string): Seat | 'full' | 'address-full';
  /** Places taken. */
  readonly taken: number;
}

export function createSeats(max: number, maxPerAddress: number): Seats {
  /** Only addresses that hold a seat have an entry, so the map is never larger than `taken`. */
  const perAddress = new Map<string, number>();
  let taken = 0;

  return {
    take(address) {
      const held = perAddress.get(address) ?? 0;
      if (taken >= max) return 'full';
      if (held >= maxPerAddress) return 'address-full';
      taken++;
      perAddress.set(address, held + 1);
      let state: 'taken' | 'free' = 'taken';
      return {
        release() {
          if (state === 'free') return;
          state = 'free';
          taken--;
          const left = perAddress.get(address)! - 1;
          if (left > 0) perAddress.set(address, left);
          else perAddress.delete(address);
        },
      };
    },
    get taken() {
      return taken;
    },
  };
}
