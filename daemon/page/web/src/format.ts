// Numbers, durations and times as people read them. Pure: what "now" is, is passed in.

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;

const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// Milliseconds since the epoch of an RFC 3339 time; NaN if it is none.
export const millis = (iso: string): number => Date.parse(iso);

// "0s", "45s", "2m 5s", "1h 30m", "3d 4h": the two largest units, rounded down.
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms > 0 && ms < kSecond) return `${Math.round(ms)}ms`;
  const parts: [number, string][] = [
    [Math.floor(ms / kDay), 'd'],
    [Math.floor((ms % kDay) / kHour), 'h'],
    [Math.floor((ms % kHour) / kMinute), 'm'],
    [Math.floor((ms % kMinute) / kSecond), 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

// "just now", "5m ago"; of a time that is to come "in 5m".
export function ago(at: number, now: number): string {
  const past = now - at;
  if (Number.isNaN(past)) return '–';
  if (past < 0) return past > -kSecond ? 'now' : `in ${duration(Math.ceil(-past / kSecond) * kSecond)}`;
  return past < kSecond ? 'just now' : `${duration(past)} ago`;
}

// How often a text that says how long ago something was has to be made again.
export function tick(distance: number): number {
  const far = Math.abs(distance);
  return far < kHour ? kSecond : far < kDay ? kMinute : kHour;
}

// Four significant digits, as the daemon's sentences: 0.08333 → "0.08333", 1234.56 → "1235".
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(4)));
}

// Where a number of any size lies on a logarithmic axis; nothing at all lies at a thousandth.
export const logOf = (value: number | null): number | null => (value === null ? null : Math.log10(Math.max(value, 1e-3)));

export const percent = (weight: number | null | undefined): string =>
  weight === null || weight === undefined ? '–' : `${number(weight)} %`;

// "1 rollout", "3 rollouts"
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

const two = (n: number): string => String(n).padStart(2, '0');

// Local: "14:03:05" of today, "26 Nov 14:03:05" of this year, "26 Nov 2025 14:03" before.
export function localTime(at: number, now: number): string {
  const t = new Date(at);
  if (Number.isNaN(t.getTime())) return '–';
  const n = new Date(now);
  const clock = `${two(t.getHours())}:${two(t.getMinutes())}`;
  const day = `${t.getDate()} ${kMonths[t.getMonth()]}`;
  if (t.getFullYear() !== n.getFullYear()) return `${day} ${t.getFullYear()} ${clock}`;
  const seconds = `${clock}:${two(t.getSeconds())}`;
  const today = t.getMonth() === n.getMonth() && t.getDate() === n.getDate();
  return today ? seconds : `${day} ${seconds}`;
}

// "2026-11-26 14:03:05.123 UTC"
export function utcTime(at: number): string {
  const t = new Date(at);
  if (Number.isNaN(t.getTime())) return '–';
  return `${t.toISOString().replace('T', ' ').replace('Z', '').replace(/\.000$/, '')} UTC`;
}

// "a, b and c"
export function list(words: string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}
