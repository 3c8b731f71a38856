// The frame of every view: title, the sentence that says it all, whether data are on their way.
import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';
import type {Data} from '../data';
import {JsonLink} from './json_link';
import {ProblemBox} from './problem';

interface Props {
  title: string; // <h1>, and of the window
  headline?: ComponentChildren; // one sentence; text only
  data?: Pick<Data<unknown>, 'value' | 'stale' | 'problem' | 'reload'>; // what the view waits for; its problem is shown
  json?: string | null; // the address of what is shown
  side?: ComponentChildren; // beside the title
  children?: ComponentChildren;
}

// What the server had written into <main> is shown until the first view has its data.
let serverMade: ChildNode[] | null = null;
export function keepServerMade(main: HTMLElement | null): void {
  if (main && main.childElementCount > 0) serverMade = [...main.childNodes];
}

function ServerMade(): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => box.current?.replaceChildren(...(serverMade ?? [])), []);
  return <div class="server-made" ref={box} />;
}

export function Page({title, headline, data, json, side, children}: Props): JSX.Element {
  const waiting = data !== undefined && data.value === null && data.problem === null;
  const problem = data?.problem ?? null;
  // A view that has something to show says in the banner that the daemon is away.
  const shown = problem && !(problem.status === 0 && data?.value) ? problem : null;
  useEffect(() => {
    document.title = `${title} · Rollwatch`;
  }, [title]);
  useEffect(() => {
    if (!waiting) serverMade = null;
  }, [waiting]);
  if (waiting && serverMade) {
    return <main id="app" tabIndex={-1} aria-busy="true"><ServerMade /></main>;
  }
  return (
    <main id="app" tabIndex={-1} aria-busy={waiting || (data?.stale && !problem) ? 'true' : 'false'}>
      <h1>{title}</h1>
      <div class="title-side">{side}{json && <JsonLink href={json}>JSON</JsonLink>}</div>
      {waiting ? <p class="headline quiet">Loading …</p> : headline && <p class="headline">{headline}</p>}
      {shown && data && <ProblemBox problem={shown} retry={data.reload} />}
      {!waiting && children}
    </main>
  );
}

export function Section({title, side, children, id}: {title: string; side?: ComponentChildren; children: ComponentChildren; id?: string}): JSX.Element {
  return (
    <section class="section" {...(id ? {id} : {})}>
      <div class="section-head"><h2>{title}</h2>{side && <div class="section-side">{side}</div>}</div>
      {children}
    </section>
  );
}
