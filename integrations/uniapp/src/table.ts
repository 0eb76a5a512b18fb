// How are runtimes and promises shown on one page?

export type Cell =
  | { readonly name: 'kept' }
  | { readonly name: 'broken'; readonly why: string }
  | { readonly name: 'left out'; readonly why: string };

export interface TableRow {
  readonly name: string;
  readonly cells: readonly Cell[];
}

/** A line for each row, and below, in full, why a cell is not kept: once for each reason. */
export function drawTable(columns: readonly string[], rows: readonly TableRow[]): string {
  const reasons: string[] = [];
  const numberOf = (why: string): number => {
    if (!reasons.includes(why)) reasons.push(why);
    return reasons.indexOf(why) + 1;
  };
  const textOf = (cell: Cell): string => {
    if (cell.name === 'kept') return 'ok';
    return cell.name === 'broken' ? `BROKEN (${numberOf(cell.why)})` : `– (${numberOf(cell.why)})`;
  };
  const lines = [['', ...columns], ...rows.map(({ name, cells }) => [name, ...cells.map(textOf)])];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const drawn = lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [...drawn, '', ...reasons.map((why, i) => `(${i + 1}) ${why}`)].join('\n');
}
