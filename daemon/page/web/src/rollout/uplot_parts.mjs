// An esbuild plugin that leaves out of uPlot what the page's charts do not use: other paths than lines, other scales
// than linear ones, facets, its own calendar (chart-ticks.ts has ours), and what it offers to plugins. That is a fifth of
// it, and the page has a budget. Each change is counted: another version of uPlot fails the build instead of a chart.
import {readFileSync} from 'node:fs';

// [what it is about, how often it is there, what is replaced, by what]
const kChanges = [
  ['paths but lines', 3, /^\s*\(paths\.(stepped|bars|spline)\s*= \w+\);$/gm, ''],
  ['what plugins use', 9, /^\s*uPlot\.(join|addGap|clipGaps|orient|rangeAsinh|rangeLog|rangeNum|fmtDate|tzDate)\s*= \w+;$/gm, ''],
  ['logarithmic and other scales', 23, /\b(?:\w+\.)?distr (?:==|>=) (?:3|4|100)\b/g, 'false'],
  ['facets', 16, /\bmode == 2\b/g, 'false'],
  ['anything but facets', 16, /\bmode == 1\b/g, 'true'],
  ['the calendar: what has it', 3, /\blet isTime = .*;/g, 'const isTime = false;'],
  ['the calendar: made for a chart', 5, /^\s*const _(tzDate|fmtDate|timeAxisSplits|timeAxisVals|timeSeriesVal)\s*= .*;$/gm, ''],
  ['the calendar: made at the start', 2, /^const \[ timeIncrs.* = genTimeStuffs\(.*\);$/gm, ''],
  ['the calendar: steps', 1, /isTime \? \(ms == 1 \? timeIncrsMs : timeIncrsS\) : numIncrs/g, 'numIncrs'],
  ['the calendar: ticks', 1, /isTime && sc\.distr == 1 \? _timeAxisSplits : /g, ''],
];

export const uplotParts = {
  name: 'uplot-parts',
  setup(build) {
    build.onLoad({filter: /[\\/]uplot[\\/]dist[\\/]uPlot\.esm\.js$/}, ({path}) => {
      let contents = readFileSync(path, 'utf8');
      for (const [what, expected, from, to] of kChanges) {
        const found = contents.match(from)?.length ?? 0;
        if (found !== expected) return {errors: [{text: `uPlot: ${what}: ${found} places instead of ${expected}`}]};
        contents = contents.replace(from, to);
      }
      return {contents, loader: 'js'};
    });
  },
};
