// Leaves out of uPlot what the page does not use: it is one module with everything reachable from one object, so that
// esbuild alone can drop nothing. What is not found as often as expected fails the build: look again then.
import {readFileSync} from 'node:fs';

// Assigned to the exported object for users of the library; what they name is dropped by esbuild.
const statics = ['assign', 'fmtNum', 'rangeNum', 'rangeLog', 'rangeAsinh', 'orient', 'join', 'fmtDate', 'tzDate', 'sync', 'addGap', 'clipGaps'];
const paths = ['stepped', 'bars', 'spline'];

// Scales are linear and there are no facets; ticks of the time axis are made by rollout/chart-ticks.ts.
const constants = [
  ['a scale that is not linear', 23, /\b(?:\w+\.)?distr (?:==|>=) (?:3|4|100)\b/g, 'false'],
  ['mode 2', 16, /\bmode == 2\b/g, 'false'],
  ['mode 1', 16, /\bmode == 1\b/g, 'true'],
  ['the legend', 1, /\bconst showLegend = legend\.show;/g, 'const showLegend = false;'],
  ['the cursor', 1, /\bconst showCursor\s+= .*;/g, 'const showCursor = false;'],
  ['what the cursor is near', 1, /\bcursor\.dataIdx == null/g, 'false'],
  ['an axis of time that lies', 25, /\b(?:scaleX|sx)\.ori == 0\b/g, 'true'],
  ['an axis of time that stands', 9, /\bscaleX\.ori == 1\b/g, 'false'],
  ['short names', 2, /^const (days|months)3 = .*;$/gm, 'const $13 = [];'],
  ['isTime', 3, /\blet isTime = .*;/g, 'const isTime = false;'],
  ['a calendar', 5, /^\s*const _(tzDate|fmtDate|timeAxisSplits|timeAxisVals|timeSeriesVal)\s*= .*;$/gm, ''],
  ['steps of time', 1, /isTime \? \(ms == 1 \? timeIncrsMs : timeIncrsS\) : numIncrs/g, 'numIncrs'],
  ['splits of time', 1, /isTime && sc\.distr == 1 \? _timeAxisSplits : /g, ''],
];

// Never called with linear scales of a range we give, and without legend and cursor: they say so if they are all the same.
const unused = [
  'rangeLog', 'rangeAsinh', 'rangeNum', '_rangeNum', 'logAxisSplits', 'asinhAxisSplits', 'log10AxisValsFilt', 'log2AxisValsFilt', 'numAxisVals',
  'numSeriesVal', 'seriesPointsShow', 'initLegendRow', 'legendStroke', 'legendFill', 'initCursorPt', 'cursorPointShow', 'cursorPointFill',
  'cursorPointStroke', 'cursorPointSize', 'cursorMove', 'filtBtn0', 'filtTarg', 'onMouse', 'addSeries', 'delSeries', 'setSeries', 'addBand', 'setBand',
  'delBand', 'setAlpha', 'pubSync', 'clampScale',
];

// Called, but with nothing to do: rollout/chart.tsx follows the pointer itself, and nothing is selected or zoomed.
const idle = [
  'updateCursor', 'cacheMouse', 'mouseMove', 'mouseDown', 'mouseUp', 'mouseLeave', 'dblClick', 'syncRect', 'setFocus',
  'setLegend', 'setLegendValues', 'syncLegend', 'setSelect', 'hideSelect', 'timeAxisVals', 'timeAxisVal', 'timeSeriesVal', 'timeAxisStamps', 'timeSeriesStamp',
];
const replaced = {fmtDate: 'return () => "";', genTimeStuffs: 'return [];'};

function without(text, pattern, replacement, what, times = 1) {
  const found = text.match(new RegExp(pattern, pattern.flags.replace('g', '') + 'g'))?.length ?? 0;
  if (found !== times) throw new Error(`page: uPlot has ${what} ${found} times, not ${times}; see trim.mjs`);
  return text.replace(pattern, replacement);
}

export function trimmed(path) {
  let text = readFileSync(path, 'utf8');
  for (const [what, times, pattern, replacement] of constants) text = without(text, pattern, replacement, what, times);
  for (const name of statics) text = without(text, new RegExp(`^\\t?uPlot\\.${name}\\s*= .*;$`, 'm'), '', `uPlot.${name}`);
  for (const name of paths) text = without(text, new RegExp(`^\\t\\(paths\\.${name}\\s*= .*\\);$`, 'm'), '', `paths.${name}`);
  const bodies = {...Object.fromEntries(unused.map((name) => [name, `throw Error("${name}");`])), ...Object.fromEntries(idle.map((name) => [name, ''])), ...replaced};
  for (const [name, body] of Object.entries(bodies)) {
    const whole = new RegExp(`^(\\t?)(?:function ${name}\\(|const ${name} = \\(.*\\) => \\{$)[\\s\\S]*?\\n\\1\\}[;)]*\\n`, 'm');
    text = without(text, whole, `$1function ${name}() { ${body} }\n`, `function ${name}`);
  }
  return text;
}

export const trimUplot = {
  name: 'trim-uplot',
  setup(build) {
    build.onLoad({filter: /[/\\]uplot[/\\]dist[/\\]uPlot\.esm\.js$/}, ({path}) => ({contents: trimmed(path), loader: 'js'}));
  },
};
