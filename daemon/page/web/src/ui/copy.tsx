// Text that is taken elsewhere: a query, a command.
import type {JSX} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import {Scroll} from './table';

// navigator.clipboard is there in a secure context only, and a daemon is often reached by plain HTTP.
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    const before = document.activeElement;
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}

// `what` names it: "Copy the query".
export function CopyButton({text, what}: {text: string; what: string}): JSX.Element {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(''), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => setSaid((await copyText(text)) ? 'Copied' : 'Could not copy');
  return (
    <>
      <button type="button" class="small" aria-label={said || `Copy ${what}`} onClick={() => void copy()}>{said || 'Copy'}</button>
      <span class="unseen" aria-live="polite">{said}</span>
    </>
  );
}

// A box of code with its copy button; `children` are further links and buttons beside that.
export function Code({text, what, children}: {text: string; what: string; children?: JSX.Element | JSX.Element[] | null | false}): JSX.Element {
  return (
    <div class="code">
      <Scroll name={what}><pre>{text}</pre></Scroll>
      <div class="code-tools"><CopyButton text={text} what={what} />{children}</div>
    </div>
  );
}
