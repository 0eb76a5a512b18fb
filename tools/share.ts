// Which part of the planted faults is it today? CI takes another one each day, since all of them take minutes.

/** `2/3`: those whose place is 2 more than a multiple of 3. The first number may be larger, as a day of the year is. */
export function shareOf(text: string): (_: unknown, place: number) => boolean {
  const [which = 0, of = 1] = text.split('/').map(Number);
  return (_, place) => place % of === which % of;
}
