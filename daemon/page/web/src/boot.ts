// What the server wrote into the page, so that it needs no request for it.
import type {Boot, Report} from './api';

function read(): Boot {
  if (typeof document === 'undefined') return {};
  try {
    return JSON.parse(document.getElementById('boot')?.textContent ?? '') as Boot;
  } catch {
    return {};
  }
}

export const boot: Boot = read();

// The report of this rollout, once: whoever comes back to it later reads it anew.
export function takeReport(id: string): Report | null {
  const {report} = boot;
  delete boot.report;
  return report?.rollout.id === id ? report : null;
}
