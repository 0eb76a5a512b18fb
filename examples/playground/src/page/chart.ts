// How do samples become a line? By uPlot, in the page's own colours.

import uPlot from 'uplot';
import type { Sample } from './record.ts';

export interface Chart {
  draw(samples: readonly Sample[], from: number, to: number): void;
}

export interface ChartLook {
  /** `line` for values of their own moment; `steps` for what holds until it changes. */
  readonly shape: 'line' | 'steps';
  /** The scale reaches at least so far, so that nothing moves for a trifle. */
  readonly atLeast: number;
  /** What a screen reader says of it. */
  readonly describe: (samples: readonly Sample[]) => string;
}

/** Width of the scale at the left; the timeline's band begins after the same width. */
const GUTTER = 40;

export function createChart(place: HTMLElement, look: ChartLook): Chart {
  const colour = (name: string): string => getComputedStyle(place).getPropertyValue(name).trim();
  let view: [number, number] = [0, 1];
  const isDots = look.shape === 'line';
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: place.clientHeight,
      padding: [6, 0, 6, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => view },
        y: { range: (_, __, max) => [0, roomFor(Math.max(max ?? 0, look.atLeast))] },
      },
      axes: [
        { show: false },
        {
          size: GUTTER,
          gap: 6,
          space: 32,
          font: '12px system-ui, sans-serif',
          stroke: () => colour('--muted'),
          grid: { stroke: () => colour('--line'), width: 1 },
          ticks: { show: false },
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000],
        },
      ],
      series: [
        {},
        {
          stroke: () => colour('--accent'),
          fill: () => colour('--accent-soft'),
          width: 2,
          points: { show: isDots, size: 5, fill: () => colour('--accent') },
          ...(look.shape === 'steps' && { paths: uPlot.paths.stepped!({ align: 1 }) }),
        },
      ],
    },
    [[], []],
    place,
  );
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
  let said = '';

  return {
    draw(samples, from, to) {
      view = [from, to];
      plot.setData([samples.map(({ at }) => at), samples.map(({ value }) => value)]);
      const text = look.describe(samples);
      if (text !== said) place.setAttribute('aria-label', (said = text));
    },
  };
}

/** The next round number, so that the scale seldom changes. */
function roomFor(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * size).find((bound) => bound >= value * 1.05) ?? 20 * size;
}
