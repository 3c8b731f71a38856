// Dark or light: the browser's, or what was chosen here and is kept.
import {store} from './store';

export type Choice = 'auto' | 'light' | 'dark';
const kKey = 'rollwatch.theme';

const dark = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)');

const kept = (): Choice => {
  try {
    const value = localStorage.getItem(kKey);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto';
  }
};

export const choice = store<Choice>('auto');

// What is shown: charts that are drawn on a canvas follow it.
export const theme = store<'light' | 'dark'>('light');

function apply(): void {
  const chosen = choice.get();
  if (chosen === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  theme.set(chosen === 'auto' ? (dark?.matches ? 'dark' : 'light') : chosen);
}

export function beginTheme(): void {
  choice.set(kept());
  apply();
  dark?.addEventListener('change', apply);
}

export function choose(next: Choice): void {
  try {
    if (next === 'auto') localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, next);
  } catch {
    // for this page alone then
  }
  choice.set(next);
  apply();
}

// The colour that a token of styles/tokens.css has now, as a canvas understands it: color('--bad').
export function color(token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
