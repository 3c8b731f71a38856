// What is drawn on a chart beside its line: where a value fails, the limit, the latest window, where steps began, the
// failing points, and at the foot the slots that gave no number (a zero would be on the line).
import type uPlot from 'uplot';
import type {Comparison, Outcome} from '../api';
import {type Point, type Range, worstOf} from './chart-data';

export interface Colours {
  text: string;
  quiet: string;
  grid: string;
  line: string;
  spread: string;
  fail: string;
  area: string;
  window: string;
  surface: string;
}

export interface StepMark {
  at: number; // milliseconds
  label: string;
}

export interface Limit {
  value: number;
  text: string; // "fails > 0.05"
  above: boolean; // where it holds
  fails: boolean;
}

export interface Scene {
  points: readonly Point[];
  drawn: readonly Point[]; // the same where they lie on the axis
  isLog: boolean; // powers of ten lie evenly
  scale: Range;
  time: Range; // seconds
  failing: readonly Range[];
  failIf: Comparison | null;
  limits: readonly Limit[];
  window: Range | null; // seconds
  steps: readonly StepMark[];
}

type Context = CanvasRenderingContext2D;

function clipped(u: uPlot, draw: (context: Context, ratio: number) => void): void {
  const {ctx, bbox} = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, devicePixelRatio);
  ctx.restore();
}

// Lines across an area, so that it is seen without its colour as well.
function hatch(context: Context, left: number, top: number, width: number, height: number, gap: number): void {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  for (let x = left - height; x < left + width; x += gap) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

export function drawBehind(u: uPlot, scene: Scene, colours: Colours): void {
  clipped(u, (context, ratio) => {
    const {left, top, width, height} = u.bbox;
    if (scene.window !== null) {
      const from = u.valToPos(scene.window.from, 'x', true);
      context.fillStyle = colours.window;
      context.fillRect(from, top, u.valToPos(scene.window.to, 'x', true) - from, height);
    }
    context.lineWidth = ratio;
    for (const range of scene.failing) {
      const high = u.valToPos(range.to, 'y', true);
      const size = u.valToPos(range.from, 'y', true) - high;
      context.fillStyle = colours.area;
      context.fillRect(left, high, width, size);
      context.globalAlpha = 0.25;
      context.strokeStyle = colours.fail;
      hatch(context, left, high, width, size, 9 * ratio);
      context.globalAlpha = 1;
    }
  });
}

function font(ratio: number): string {
  return `${11 * ratio}px system-ui, sans-serif`;
}

// A text with the background's colour around it, so that lines do not run through it.
function label(context: Context, text: string, x: number, y: number, fill: string, halo: string, ratio: number): void {
  context.font = font(ratio);
  context.lineWidth = 3 * ratio;
  context.lineJoin = 'round';
  context.strokeStyle = halo;
  context.setLineDash([]);
  context.strokeText(text, x, y);
  context.fillStyle = fill;
  context.fillText(text, x, y);
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const kRow = 13; // of labels, and how high they are

// `above`: its text stands over the line, if there is room. Returns where the text is.
function drawLimit(u: uPlot, {value, text, above, fails}: Limit, colours: Colours): Box {
  const box: Box = {left: 0, top: 0, right: 0, bottom: 0};
  clipped(u, (context, ratio) => {
    const {left, width, top, height} = u.bbox;
    const y = Math.round(u.valToPos(value, 'y', true));
    const colour = fails ? colours.fail : colours.quiet;
    context.strokeStyle = colour;
    context.lineWidth = 1.5 * ratio;
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    const room = 16 * ratio;
    const over = above ? y - top > room : top + height - y < room;
    context.textAlign = 'right';
    context.textBaseline = 'top';
    box.top = over ? y - (kRow + 2) * ratio : y + 2 * ratio;
    box.bottom = box.top + kRow * ratio;
    box.right = left + width - 4 * ratio;
    context.font = font(ratio);
    box.left = box.right - context.measureText(text).width;
    label(context, text, box.right, box.top, colour, colours.surface, ratio);
  });
  return box;
}

const apart = (a: Box, b: Box): boolean => a.right < b.left || b.right < a.left || a.bottom <= b.top || b.bottom <= a.top;

// Each line has its label where it meets no other: in one of three rows, behind the line or before it; else it has none.
function drawSteps(u: uPlot, steps: readonly StepMark[], taken: Box[], colours: Colours): void {
  clipped(u, (context, ratio) => {
    const {left, top, width, height} = u.bbox;
    context.textAlign = 'left';
    context.textBaseline = 'top';
    for (const step of steps) {
      const x = Math.round(u.valToPos(step.at / 1000, 'x', true));
      context.strokeStyle = colours.quiet;
      context.lineWidth = ratio;
      context.setLineDash([2 * ratio, 3 * ratio]);
      context.beginPath();
      context.moveTo(x, top);
      context.lineTo(x, top + height);
      context.stroke();
      context.font = font(ratio);
      const size = context.measureText(step.label).width;
      const free = [0, 1, 2]
        .flatMap((row) => [x + 3 * ratio, x - 3 * ratio - size].map((from): Box => {
          const high = top + (2 + kRow * row) * ratio;
          return {left: from, right: from + size, top: high, bottom: high + kRow * ratio};
        }))
        .find((box) => box.left >= left && box.right <= left + width && taken.every((other) => apart(box, other)));
      if (free === undefined) continue;
      taken.push(free);
      label(context, step.label, free.left, free.top, colours.quiet, colours.surface, ratio);
    }
  });
}

function cross(context: Context, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
  context.stroke();
}

// The shapes of ui/mark.tsx, small.
function footMark(context: Context, outcome: Outcome, x: number, y: number, size: number): void {
  context.beginPath();
  if (outcome === 'missed') {
    context.moveTo(x - size, y);
    context.lineTo(x + size, y);
  } else if (outcome === 'error') {
    context.moveTo(x, y - size);
    context.lineTo(x + size, y + size);
    context.lineTo(x - size, y + size);
    context.closePath();
    context.fill();
  } else {
    context.arc(x, y, size, 0, 2 * Math.PI);
    if (outcome === 'inconclusive') {
      context.moveTo(x, y - size);
      context.arc(x, y, size, -Math.PI / 2, Math.PI / 2);
      context.fill();
    }
  }
  context.stroke();
}

function drawMarks(u: uPlot, {drawn, failIf}: Scene, colours: Colours): void {
  clipped(u, (context, ratio) => {
    const foot = u.bbox.top + u.bbox.height - 7 * ratio;
    const size = 3.2 * ratio;
    context.lineWidth = 1.6 * ratio;
    let free = -Infinity; // of what stands at the foot, where there is more than fits
    for (const point of drawn) {
      const x = u.valToPos(point.at / 1000, 'x', true);
      const worst = worstOf(point, failIf);
      if (point.outcome === 'fail' && worst !== null) {
        context.strokeStyle = colours.fail;
        cross(context, x, u.valToPos(worst, 'y', true), size);
      } else if (point.value === null || point.outcome === 'error' || point.outcome === 'no_data' || point.outcome === 'missed') {
        if (x < free) continue;
        free = x + 2.4 * size;
        context.strokeStyle = point.outcome === 'fail' ? colours.fail : colours.text;
        context.fillStyle = context.strokeStyle;
        footMark(context, point.outcome, x, foot, size);
      }
    }
  });
}

export function drawInFront(u: uPlot, scene: Scene, colours: Colours): void {
  drawMarks(u, scene, colours);
  drawSteps(u, scene.steps, scene.limits.map((limit) => drawLimit(u, limit, colours)), colours);
}
