// Where the time axis has its ticks: at round times of the local clock, which uPlot's part for that is left out for
// (trim.mjs).

// Seconds between ticks that may be chosen from.
export const kTickSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

// The multiples of `step` from `from` to `to`, in seconds; `offset` is the local clock's before UTC.
export function timeTicks(from: number, to: number, step: number, offset: number): number[] {
  const ticks: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) ticks.push(at);
  return ticks;
}

export const localOffset = (at: number): number => -60 * new Date(at * 1000).getTimezoneOffset();

// "14:03", "14:03:05" where seconds count, "26 Nov" at midnight.
export function tickLabel(at: number, step: number): string {
  const time = new Date(at * 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  if (step >= 3600 && time.getHours() === 0) return time.toLocaleDateString('en', {day: 'numeric', month: 'short'});
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return step < 60 ? `${clock}:${two(time.getSeconds())}` : clock;
}
