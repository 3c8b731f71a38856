// A condition's values over time. The canvas is for the eyes; it has its sentence as its name, and the table beside it
// has the same numbers for everybody else.
import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import {localTime} from '../format';
import {color, theme} from '../theme';
import {chartSentence, columnsOf, nearest, pointSentence} from './chart-data';
import {kTickSteps, localOffset, tickLabel, timeTicks} from './chart-ticks';
import {type Colours, drawBehind, drawInFront, type Scene} from './chart-draw';

const kHeight = 170;
const kPowers = [1, 2, 5, 10, 20, 50, 100]; // of ten, between ticks
const kCompact = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 4}); // 0.05, 250, 1.2M

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
  const columns = columnsOf(scene.drawn);
  return [columns.at, columns.low, columns.high, columns.value];
}

// "0.05", "1.2M"; on a logarithmic axis 3 is "1K".
function valueLabel(tick: number, isLog: boolean): string {
  return isLog && tick > 6 ? `1e${tick}` : kCompact.format(isLog ? 10 ** tick : tick);
}

// All charts of a rollout show the same moment.
const kCharts = new Set<Chart>();

// The chart itself, outside of preact: made once for an element, then told of new scenes.
class Chart {
  private plot: uPlot;
  private colours = coloursNow();
  private readonly pointer = document.createElement('div');

  constructor(
    private readonly element: HTMLElement,
    private readonly readout: HTMLElement,
    private scene: Scene,
  ) {
    this.plot = new uPlot(this.options(), dataOf(scene), element);
    this.pointer.className = 'chart-pointer';
    this.pointer.hidden = true;
    const {over} = this.plot;
    over.append(this.pointer);
    over.addEventListener('pointermove', (event) => pointAll(this.plot.posToVal(event.offsetX, 'x')));
    over.addEventListener('pointerleave', () => pointAll(null));
    kCharts.add(this);
    this.point(null);
  }

  show(scene: Scene): void {
    this.scene = scene;
    this.plot.setData(dataOf(scene));
    this.point(null);
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
    kCharts.delete(this);
    this.plot.destroy();
  }

  // Says the point nearest to a moment (in seconds); the latest one if there is none.
  point(moment: number | null): void {
    const {points} = this.scene;
    const point = moment === null ? points.at(-1) : nearest(points, moment * 1000);
    this.pointer.hidden = moment === null || point === undefined;
    if (point === undefined) return;
    this.pointer.style.left = `${this.plot.valToPos(point.at / 1000, 'x')}px`;
    this.readout.textContent = `${localTime(point.at, Date.now())}: ${pointSentence(point)}`;
  }

  private options(): uPlot.Options {
    const colour = (name: keyof Colours) => (): string => this.colours[name];
    const grid = {stroke: colour('grid'), width: 1};
    const axis = {stroke: colour('text'), grid, ticks: {...grid, size: 4}, font: '11px system-ui, sans-serif'};
    return {
      width: Math.max(this.element.clientWidth, 200),
      height: kHeight,
      legend: {show: false},
      cursor: {show: false},
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
        {...axis, size: 54, space: 34, ...(this.scene.isLog ? {incrs: kPowers} : {}), values: (_, ticks) => ticks.map((tick) => valueLabel(tick, this.scene.isLog))},
      ],
      series: [
        {},
        {points: {show: false}, width: 0},
        {points: {show: false}, width: 0},
        {stroke: colour('line'), width: 1.75, points: {show: this.scene.points.length <= 80, size: 4, fill: colour('line')}},
      ],
      bands: [{series: [2, 1], fill: colour('spread')}],
      hooks: {
        drawClear: [(u) => drawBehind(u, this.scene, this.colours)],
        draw: [(u) => drawInFront(u, this.scene, this.colours)],
      },
    };
  }
}

function pointAll(moment: number | null): void {
  for (const chart of kCharts) chart.point(moment);
}

// Draws anew where colours change: the browser's or the page's theme, and paper.
function onColours(repaint: () => void): () => void {
  const media = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('print')];
  for (const one of media) one.addEventListener('change', repaint);
  const stop = theme.subscribe(repaint);
  return () => {
    for (const one of media) one.removeEventListener('change', repaint);
    stop();
  };
}

export function ChartView({name, rule, scene, caption}: {name: string; rule: string; scene: Scene; caption: string}) {
  const element = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const chart = useRef<Chart | null>(null);
  useEffect(() => {
    if (element.current === null || readout.current === null) return undefined;
    const made = new Chart(element.current, readout.current, scene);
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
  }, []);
  useEffect(() => chart.current?.show(scene), [scene]);
  return (
    <figure class="chart">
      <div class="chart-canvas" ref={element} role="img" aria-label={chartSentence(name, scene.points, rule)} />
      <figcaption class="chart-caption"><span>{caption}</span><span ref={readout} aria-hidden="true" /></figcaption>
    </figure>
  );
}
