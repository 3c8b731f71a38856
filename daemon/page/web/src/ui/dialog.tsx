// Dialogs: the browser's own modal <dialog> keeps the focus inside, closes with Escape and gives the focus back.
import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useId, useRef, useState} from 'preact/hooks';
import type {ApiProblem} from '../client';
import {decidedBy, rememberBy, useSession} from '../session';
import {asProblem, ProblemBox} from './problem';

export function Dialog({title, onClose, children}: {title: string; onClose: () => void; children: ComponentChildren}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    element?.querySelector('input')?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  // Tab goes round inside; without this it would also visit the browser's own bar.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Tab' || !dialog.current) return;
    const stops = [...dialog.current.querySelectorAll<HTMLElement>('a[href],button,input,textarea,select,[tabindex="0"]')].filter((stop) => !stop.matches(':disabled'));
    const first = stops[0];
    const last = stops[stops.length - 1];
    const from = event.shiftKey ? first : last;
    if (document.activeElement !== from) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  };
  const onCancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  // Beside it, and not only where the selection of a text ended.
  const pressedBeside = useRef(false);
  const onPointerDown = (event: Event) => {
    pressedBeside.current = event.target === dialog.current;
  };
  const onClick = (event: MouseEvent) => event.target === dialog.current && pressedBeside.current && onClose();
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={onCancel} onKeyDown={onKeyDown} onPointerDown={onPointerDown} onClick={onClick}>
      <div class="dialog-in">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

export interface Given {
  reason: string;
  by: string;
  extra: string;
}

interface ReasonProps {
  title: string; // "Roll back checkout 1.24"
  text: ComponentChildren; // what it will do, in a sentence or two
  verb: string; // on the button: "Roll back"
  danger?: boolean;
  suggestion?: string; // what the reason begins with
  extra?: {label: string; value: string; hint?: string; pattern?: string}; // one more field, such as for how long
  onSubmit: (given: Given) => Promise<unknown>; // throws what went wrong; the dialog shows it and stays
  onClose: () => void;
}

// Asks why, and who, before something is done.
export function ReasonDialog({title, text, verb, danger, suggestion, extra, onSubmit, onClose}: ReasonProps): JSX.Element {
  const {me} = useSession();
  const [reason, setReason] = useState(suggestion ?? '');
  const [by, setBy] = useState(decidedBy);
  const [more, setMore] = useState(extra?.value ?? '');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      if (by.trim()) rememberBy(by.trim());
      await onSubmit({reason: reason.trim(), by: by.trim(), extra: more.trim()});
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p>{text}</p>
        {extra && (
          <div class="field">
            <label for={`${id}-x`}>{extra.label}</label>
            <input id={`${id}-x`} value={more} required pattern={extra.pattern} aria-describedby={extra.hint ? `${id}-h` : undefined}
              onInput={(event) => setMore(event.currentTarget.value)} />
            {extra.hint && <span class="hint" id={`${id}-h`}>{extra.hint}</span>}
          </div>
        )}
        <div class="field">
          <label for={`${id}-r`}>Reason</label>
          <input id={`${id}-r`} value={reason} required maxLength={1000} pattern=".*\S.*" autocomplete="off"
            placeholder="Why? It is recorded, and told." onInput={(event) => setReason(event.currentTarget.value)} />
        </div>
        <div class="field">
          <label for={`${id}-b`}>Your name</label>
          <input id={`${id}-b`} value={by} required={!me?.token} maxLength={253} pattern=".*\S.*" autocomplete="name"
            onInput={(event) => setBy(event.currentTarget.value)} />
        </div>
        {problem && <ProblemBox problem={problem} />}
        <div class="buttons">
          <button type="submit" class={danger ? 'danger' : 'primary'} disabled={busy}>{busy ? `${verb} …` : verb}</button>
          <button type="button" onClick={onClose}>Leave it</button>
        </div>
      </form>
    </Dialog>
  );
}
