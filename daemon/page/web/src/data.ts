// A view's data: one request, shown until a newer answer replaces it, read again when somebody asks for it.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';
import {ApiProblem, get} from './client';
import {serverNow} from './clock';
import {millis} from './format';
import {dataCame, onGap} from './live';
import {session, useSession} from './session';

export interface Data<T> {
  value: T | null; // the latest answer of this path, or of the one before while the new one is on its way
  stale: boolean; // value belongs to the path before
  problem: ApiProblem | null; // of the latest try
  busy: boolean;
  at: number; // performance.now() when the latest try ended
  reload: () => void;
  patch: (change: (value: T) => T) => void; // what an event says is so already
}

interface Options<T> {
  first?: T | null; // what the server wrote into the page: no request is needed
  seq?: (value: T) => number;
  apart?: number; // reloads within so many milliseconds are one (1000)
}

const kApart = 1000;
const kSlotsApart = 5000; // what moves with slots is read no more often
const kIdle = 30_000;
const kSlotTakes = 700; // from a slot's time until its outcome is recorded, as a rule

export function useData<T>(path: string | null, options: Options<T> = {}): Data<T> {
  const {token, asks} = useSession();
  const [value, setValue] = useState<T | null>(options.first ?? null);
  const [valueOf, setValueOf] = useState(options.first ? path : null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(!options.first);
  const [at, setAt] = useState(() => performance.now());
  const seq = useRef(options.seq);
  const apart = options.apart ?? kApart;
  const given = useRef(options.first ? path : null);
  const abort = useRef<AbortController | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef(0);
  const later = useRef((): void => undefined);
  const again = useRef(false); // somebody asked while an answer was on its way

  const load = useCallback(async () => {
    if (path === null || session.get().asks !== null) return;
    again.current = abort.current !== null;
    if (again.current) return;
    const mine = new AbortController();
    abort.current = mine;
    asked.current = performance.now();
    setBusy(true);
    try {
      const answer = await get<T>(path, mine.signal);
      if (abort.current !== mine) return;
      setValue(() => answer);
      setValueOf(path);
      setProblem(null);
      dataCame(seq.current?.(answer));
    } catch (error) {
      if (abort.current !== mine) return;
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
      dataCame();
    }
    abort.current = null;
    setAt(performance.now());
    setBusy(false);
    if (again.current) later.current();
  }, [path]);

  const reload = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void load(), Math.max(0, asked.current + apart - performance.now()));
  }, [load, apart]);
  later.current = reload;

  useEffect(() => {
    if (given.current === path && options.first) {
      given.current = null; // it is here already
      dataCame(seq.current?.(options.first));
    } else {
      void load();
    }
    return () => {
      clearTimeout(timer.current);
      abort.current?.abort();
      abort.current = null;
    };
  }, [load, token, asks]);

  useEffect(() => onGap(reload), [reload]);

  const patch = useCallback((change: (value: T) => T) => setValue((now) => (now === null ? now : change(now))), []);
  return {value, stale: valueOf !== path, problem, busy, at, reload, patch};
}

// Reads again every `every` milliseconds, and when somebody comes back to the tab, but only while it is visible.
export function useRefresh(reload: () => void, every: number): void {
  useEffect(() => {
    const look = () => document.visibilityState === 'visible' && reload();
    const timer = setInterval(look, every);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [reload, every]);
}

// Reads again when the next slot must have an outcome: events do not tell of every slot.
export function useSlots({reload, at, busy}: Pick<Data<unknown>, 'reload' | 'at' | 'busy'>, nextSlot: string | null | undefined): void {
  useEffect(() => {
    if (busy) return undefined;
    const due = nextSlot ? millis(nextSlot) - serverNow() + kSlotTakes : kIdle;
    const wait = Math.max(kSlotsApart - (performance.now() - at), Math.min(due, kIdle), 0);
    const look = () => document.visibilityState === 'visible' && reload();
    const timer = setTimeout(look, wait);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [reload, at, busy, nextSlot]);
}
