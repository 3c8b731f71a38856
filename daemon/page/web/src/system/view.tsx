// The daemon itself: what it asks, whom it tells, who shares its store, and what it was told to do.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import type {Status} from '../api';
import {post, type ApiProblem} from '../client';
import {useNow} from '../clock';
import {useData, useRefresh} from '../data';
import {count} from '../format';
import {address, Link} from '../router';
import {may, useSession} from '../session';
import {Age, Ago, asProblem, Facts, Page, ProblemBox, Section, Time} from '../ui';
import {kStates, wordOf} from '../words';
import {statusSentence} from './system';
import {Datasources, Freezes, Nodes, Targets} from './tables';

function Reload({done}: {done: () => void}): JSX.Element {
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const reload = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await post('/-/reload', {});
      setSaid('The configuration was read again.');
    } catch (error) {
      setSaid('');
      setProblem(asProblem(error));
    }
    setBusy(false);
    done();
  };
  return (
    <div aria-live="polite">
      <p><button type="button" disabled={busy} onClick={() => void reload()}>{busy ? 'Reading …' : 'Read the configuration again'}</button></p>
      {said && <p>{said}</p>}
      {problem && <ProblemBox problem={problem} />}
    </div>
  );
}

function Configuration({status, reload}: {status: Status; reload: () => void}): JSX.Element {
  const session = useSession();
  const {configuration: {file, loaded_at, last_reload, policies, services, tokens, warnings = []}} = status;
  return (
    <Section title="Configuration">
      <Facts
        items={[
          ['File', <code key="f">{file}</code>],
          ['In force since', <Time key="l" at={loaded_at} />],
          ['Last reload', last_reload ? <span key="r" class={last_reload.ok ? '' : 'bad'}>{last_reload.ok ? 'taken' : 'refused: nothing was changed'}, <Ago at={last_reload.at} /></span> : 'none since the start'],
          ['Holds', <span key="h"><Link href="/policies">policies: {policies}</Link>, services: {services}, tokens: {tokens}</span>],
        ]}
      />
      {last_reload?.ok === false && <ul class="lines bad">{last_reload.lines.map((line) => <li key={line}><code>{line}</code></li>)}</ul>}
      {warnings.length > 0 && (
        <details><summary>{count(warnings.length, 'warning')}</summary><ul class="lines">{warnings.map((line) => <li key={line}>{line}</li>)}</ul></details>
      )}
      {may(session, 'admin') && <Reload done={reload} />}
    </Section>
  );
}

function Build({status}: {status: Status}): JSX.Element {
  const {version, build, started_at, external_url, store, event_stream_clients, rollouts} = status;
  const active = Object.entries(rollouts).filter(([, n]) => n > 0);
  return (
    <Section title="Daemon">
      <Facts
        items={[
          ['Version', version],
          ['Built with', build.compiler],
          ['Running for', <Age key="a" since={started_at} />],
          ['Links lead to', external_url ? <code key="u">{external_url}</code> : 'nowhere: external_url is not set'],
          ['Store', `${store.kind === 'postgresql' ? 'PostgreSQL' : 'SQLite'}, kept for ${store.retention}`],
          ['Store trouble', store.trouble && <span key="t" class="bad">{store.trouble}</span>],
          ['Active rollouts', active.length > 0
            ? <span key="s">{active.map(([state, n], index) => <span key={state}>{index > 0 && ', '}<Link href={address('/', {state})}>{wordOf(kStates, state).text}: {n}</Link></span>)}</span>
            : 'none'],
          ['Clients of the event stream', String(event_stream_clients)],
        ]}
      />
    </Section>
  );
}

export function SystemView(): JSX.Element {
  const data = useData<Status>('/api/v1/status');
  const now = useNow();
  useRefresh(data.reload, 10_000);
  const {value} = data;
  return (
    <Page title="System" headline={value && statusSentence(value, now)} data={data} json="/api/v1/status">
      {value && (
        <>
          <Freezes freezes={value.freezes} />
          <Datasources datasources={value.datasources} />
          <Targets targets={value.targets} />
          <Nodes nodes={value.nodes} />
          <Configuration status={value} reload={data.reload} />
          <Build status={value} />
        </>
      )}
    </Page>
  );
}
