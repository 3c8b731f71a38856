// A condition's values over time. The canvas is for the eyes; it has its sentence as its name, and the table beside it
// has the same numbers for everybody else.
import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import {localTime, number} from '../format';
import {color} from '../theme';
import {chartSentence, columnsOf, pointSentence} from './chart-data';
import {kTickSteps, localOffset, tickLabel, timeTicks} from './chart-ticks';
import {type Colours, drawBehind, drawInFront, type Scene} from './chart-draw';

const kHeight = 170;

function coloursNow(): Colours {
  return {
    text: color('--quiet'),
    quiet: color('--quiet'),
    grid: color('--grid'),
    line: color('--candidate'),
    spread: color('--info-soft'),
    fail: color('--limit'),
    area: color('--fail-area'),
    window: color('--raised'),
    surface: color('--surface'),
  };
}

function dataOf(scene: Scene): uPlot.AlignedData {
  const columns = columnsOf(scene.points);
  return [columns.at, columns.low, columns.high, columns.value];
}

// The chart itself, outside of preact: made once for an element, then told of new scenes.
class Chart {
  private plot: uPlot;
  private colours = coloursNow();

  constructor(
    private readonly element: HTMLElement,
    private readonly readout: HTMLElement,
    private scene: Scene,
    key: string,
  ) {
    this.plot = new uPlot(this.options(key), dataOf(scene), element);
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.plot.setData(dataOf(scene));
    this.say(null);
  }

  resize(): void {
    const width = this.element.clientWidth;
    if (width > 0 && width !== this.plot.width) this.plot.setSize({width, height: kHeight});
  }

  repaint(): void {
    this.colours = coloursNow();
    this.plot.redraw(false, true);
  }

  destroy(): void {
    this.plot.destroy();
  }

  // The point under the cursor in words; without one the latest.
  private say(index: number | null): void {
    const point = this.scene.points[index ?? this.scene.points.length - 1];
    this.readout.textContent = point === undefined ? '' : `${localTime(point.at, Date.now())}: ${pointSentence(point)}`;
  }

  private options(key: string): uPlot.Options {
    const colour = (name: keyof Colours) => (): string => this.colours[name];
    const grid = {stroke: colour('grid'), width: 1};
    const axis = {stroke: colour('text'), grid, ticks: {...grid, size: 4}, font: '11px system-ui, sans-serif'};
    return {
      width: Math.max(this.element.clientWidth, 200),
      height: kHeight,
      legend: {show: false},
      cursor: {sync: {key}, points: {size: 7}, drag: {x: false, y: false}},
      scales: {
        x: {time: false, range: () => [this.scene.time.from, this.scene.time.to]},
        y: {range: () => [this.scene.scale.from, this.scene.scale.to]},
      },
      axes: [
        {
          ...axis,
          size: 28,
          space: 70,
          incrs: kTickSteps,
          splits: (_, __, from, to, step) => timeTicks(from, to, step, localOffset(from)),
          values: (_, ticks, __, ___, step) => ticks.map((tick) => tickLabel(tick, step)),
        },
        {...axis, size: 54, space: 34, values: (_, ticks) => ticks.map((tick) => number(tick))},
      ],
      series: [
        {},
        {points: {show: false}, width: 0},
        {points: {show: false}, width: 0},
        {stroke: colour('line'), width: 1.75, points: {show: this.scene.points.length <= 80, size: 4, fill: colour('line')}, spanGaps: false},
      ],
      bands: [{series: [2, 1], fill: colour('spread')}],
      hooks: {
        drawClear: [(u) => drawBehind(u, this.scene, this.colours)],
        draw: [(u) => drawInFront(u, this.scene, this.colours)],
        setCursor: [(u) => this.say(u.cursor.idx ?? null)],
        ready: [() => this.say(null)],
      },
    };
  }
}

// Draws anew where colours change: the browser's or the page's theme, and paper.
function onColours(repaint: () => void): () => void {
  const media = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('print')];
  for (const one of media) one.addEventListener('change', repaint);
  const observer = new MutationObserver(repaint);
  observer.observe(document.documentElement, {attributes: true});
  return () => {
    for (const one of media) one.removeEventListener('change', repaint);
    observer.disconnect();
  };
}

export function ChartView({name, rule, scene, syncKey}: {name: string; rule: string; scene: Scene; syncKey: string}) {
  const element = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLParagraphElement>(null);
  const chart = useRef<Chart | null>(null);
  useEffect(() => {
    if (element.current === null || readout.current === null) return;
    const made = new Chart(element.current, readout.current, scene, syncKey);
    chart.current = made;
    const sizes = new ResizeObserver(() => made.resize());
    sizes.observe(element.current);
    const stop = onColours(() => made.repaint());
    return () => {
      stop();
      sizes.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [syncKey]);
  useEffect(() => chart.current?.show(scene), [scene]);
  return (
    <figure class="chart">
      <div class="chart-canvas" ref={element} role="img" aria-label={chartSentence(name, scene.points, rule)} />
      <p class="chart-readout" ref={readout} aria-hidden="true" />
    </figure>
  );
}
