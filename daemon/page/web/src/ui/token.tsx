// Where a token is asked for: once, kept in memory, or for this tab.
import type {JSX} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import {whose, type ApiProblem} from '../client';
import {keepToken} from '../session';
import {Page} from './page';
import {asProblem, ProblemBox} from './problem';

export function TokenEntry({why}: {why: string}): JSX.Element {
  const [token, setToken] = useState('');
  const [forTab, setForTab] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const given = token.trim();
      keepToken(given, await whose(given), forTab);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <Page title="Token" headline={why}>
      <form class="token" onSubmit={(event) => void submit(event)}>
        <div class="field">
          <label for="token">Token</label>
          <input id="token" type="password" autocomplete="off" spellcheck={false} required value={token} ref={field}
            onInput={(event) => setToken(event.currentTarget.value)} aria-describedby="token-hint" />
          <span class="hint" id="token-hint">Begins with rwt_. It is sent to this daemon only, and not kept unless you say so.</span>
        </div>
        <label class="tick">
          <input type="checkbox" checked={forTab} onChange={(event) => setForTab(event.currentTarget.checked)} /> keep for this tab
        </label>
        {problem && <ProblemBox problem={problem} />}
        <div class="buttons"><button type="submit" class="primary" disabled={busy}>Use this token</button></div>
      </form>
    </Page>
  );
}
