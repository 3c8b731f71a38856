// Who, where and under which terms: what was registered.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import type {Rollout} from '../api';
import {percent} from '../format';
import {conditionsOf, type Setting, settings, shown} from '../policies/analysis';
import {Link, policyHref} from '../router';
import {Age, Ago, DataTable, Facts, JsonLink, Key, StateWord, Time, VerdictWord} from '../ui';
import type {Report} from './report';

function Texts({of}: {of: Record<string, string>}): JSX.Element | null {
  const pairs = Object.entries(of);
  return pairs.length === 0 ? null : <>{pairs.map(([name, value]) => <code key={name}>{name}={value} </code>)}</>;
}

const some = (of: Record<string, string>): boolean => Object.keys(of).length > 0;

export function Standing({report}: {report: Report}): JSX.Element {
  const {rollout, clock} = report;
  const runs = rollout.state === 'analyzing' || rollout.state === 'waiting';
  return (
    <div class="standing"><Facts items={[
      ['State', <StateWord state={rollout.state} strong />],
      ['Verdict', <VerdictWord verdict={rollout.verdict} />],
      ['Traffic', rollout.weight === null || rollout.step?.weight === null ? null : `${percent(rollout.weight)} on ${rollout.candidate}`],
      [rollout.ended_at === null ? 'Age' : 'Took', <Age since={rollout.created_at} until={rollout.ended_at} />],
      ['Deadline', runs && clock.deadline_at ? <Ago at={clock.deadline_at} /> : null],
      ['Watched on until', clock.recovery_until ? <Time at={clock.recovery_until} /> : null],
    ]} /></div>
  );
}

export function Registered({rollout}: {rollout: Rollout}): JSX.Element {
  return (
    <Facts items={[
      ['Versions', `${rollout.stable ?? 'nothing before'} → ${rollout.candidate}`],
      ['Service', `${rollout.namespace}/${rollout.service}`],
      ['Target', rollout.target],
      ['Attempt', rollout.attempt],
      ['Policy', <>{rollout.policy.map((name) => <Link key={name} href={policyHref(name, {service: rollout.service, candidate: rollout.candidate})}>{name} </Link>)}</>],
      ['Orchestrator', rollout.orchestrator ?? 'none: it is asked, not told'],
      ['Told', rollout.notify.length === 0 ? null : rollout.notify.join(', ')],
      ['Registered', <><Time at={rollout.created_at} /> by {rollout.by}</>],
      ['Ended', rollout.ended_at === null ? null : <Time at={rollout.ended_at} />],
      ['Judged', rollout.label && `${rollout.label.label} by ${rollout.label.by}: ${rollout.label.reason}`],
      ['Labels', some(rollout.labels) ? <Texts of={rollout.labels} /> : null],
      ['Arguments', some(rollout.args) ? <Texts of={rollout.args} /> : null],
      ['Observe only', rollout.observe ? 'yes' : null],
      ['Links', some(rollout.links) ? <>{Object.entries(rollout.links).map(([name, href]) => <a key={name} href={href} rel="noreferrer">{name} </a>)}</> : null],
      ['Id', <code>{rollout.id}</code>],
    ]} />
  );
}

// The keys of the conditions are named after their condition.
function termsOf({analysis, analysis_sources: sources}: Rollout): Setting[] {
  const inner = conditionsOf(analysis).flatMap((condition, index) =>
    settings(condition, sources, `/condition/${index}`, ['name']).map((term) => ({...term, name: `${shown(condition['name'] ?? '')}.${term.name}`})),
  );
  return [...settings(analysis, sources, '', ['condition']), ...inner];
}

const kMostTerms = 80;

// The analysis that was agreed on at registration, each value with where it came from.
export function Terms({rollout}: {rollout: Rollout}): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details class="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The analysis as it was fixed at registration</summary>
      {open && (
        <DataTable
          name="The analysis, and where each value comes from"
          class="settings"
          rows={termsOf(rollout).slice(0, kMostTerms)}
          keyOf={(term) => term.name}
          columns={[
            {key: 'key', head: 'Key', cell: (term) => <Key name={term.name} />},
            {key: 'value', head: 'Value', cell: (term) => <code class="term">{term.value.trim()}</code>},
            {key: 'source', head: 'From', cell: (term) => term.source},
          ]}
        />
      )}
    </details>
  );
}

// The same in the API, one click away.
export function JsonLinks({report}: {report: Report}): JSX.Element {
  const base = `/api/v1/rollouts/${encodeURIComponent(report.rollout.id)}`;
  return (
    <p class="json-links">
      <JsonLink href={base}>rollout</JsonLink> <JsonLink href={`${base}/report`}>all of this page</JsonLink>{' '}
      <JsonLink href={`${base}/evaluations`}>evaluations</JsonLink> <JsonLink href={`${base}/events`}>events</JsonLink>{' '}
      <JsonLink href={`${base}/deliveries`}>deliveries</JsonLink>{' '}
      {report.decision !== null && <JsonLink href={`${base}/explain`}>explain</JsonLink>}
    </p>
  );
}
