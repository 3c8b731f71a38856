// What the server wrote into the page, so that it needs no request for it.
import type {Boot} from './api';

function read(): Boot {
  if (typeof document === 'undefined') return {};
  try {
    return JSON.parse(document.getElementById('boot')?.textContent ?? '') as Boot;
  } catch {
    return {};
  }
}

export const boot: Boot = read();
