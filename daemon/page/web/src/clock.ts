// What time it is at the server, as far as the Date header of its answers tells: ages and "in 12s" must not depend on a
// browser's clock that is wrong.
import {useEffect, useState} from 'preact/hooks';

const kTolerance = 2000; // Date has whole seconds, and an answer takes a while

let offset = 0;

// By how much the browser's clock is behind, if that is more than the header can tell; null if the header tells nothing.
export function offsetOf(dateHeader: string | null, localNow: number): number | null {
  const server = Date.parse(dateHeader ?? '');
  if (Number.isNaN(server)) return null;
  const difference = server + 500 - localNow;
  return Math.abs(difference) > kTolerance ? difference : 0;
}

export function learnServerTime(dateHeader: string | null): void {
  offset = offsetOf(dateHeader, Date.now()) ?? offset;
}

export const serverNow = (): number => Date.now() + offset;

// ---- One ticking for all components ----

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function follow(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.visibilityState === 'visible') for (const each of [...listeners]) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

// The server's time, renewed every `step` milliseconds (at least a second).
export function useNow(step = 1000): number {
  const rounded = () => Math.floor(serverNow() / step) * step;
  const [now, setNow] = useState(rounded);
  useEffect(() => follow(() => setNow(rounded())), [step]);
  return step <= 1000 ? serverNow() : Math.max(now, rounded());
}
