// What happened, newest first: who decided what, from where and why, and what the engine did about it.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import type {Event} from '../api';
import {Section} from '../ui/page';
import {DataTable} from '../ui/table';
import {Time} from '../ui/time';
import {Pager, usePages} from './pager';
import type {Report} from './report';

const kPage = 30;

const isDecision = (event: Event): boolean => event.data.decision !== undefined && event.type === 'decided';

// "by ana, token deployer, from 10.0.0.3"; that the engine did what it does is said of its decisions only.
function whoOf(event: Event): string {
  const {by, token, from} = event.data;
  if (by === 'engine' && !isDecision(event)) return '';
  const named = token === undefined || token === by ? [`by ${by}`] : [`by ${by}`, `token ${token}`];
  return [...named, ...(from === undefined ? [] : [`from ${from}`])].join(', ');
}

function What({event, explain}: {event: Event; explain: (decision: string) => void}): JSX.Element {
  const {decision, summary, reason} = event.data;
  const type = event.type.replaceAll('_', ' ');
  return (
    <>
      <b>{type}</b>{summary.startsWith(type) ? summary.slice(type.length) : ` ${summary}`}
      {reason !== undefined && !summary.includes(reason) && <> <q>{reason}</q></>}
      {isDecision(event) && decision !== undefined && (
        <> <button type="button" class="small" onClick={() => explain(decision)} aria-label={`Explain: ${summary}`}>Explain</button></>
      )}
      <span class="under">{whoOf(event)}</span>
    </>
  );
}

export function History({report, explain}: {report: Report; explain: (decision: string) => void}): JSX.Element {
  const [all, setAll] = useState(true);
  const newest = [...report.events.items].reverse();
  const pages = usePages(all ? newest : newest.filter(isDecision), kPage);
  const side = (
    <label class="only">
      <input type="checkbox" checked={!all} onChange={(event) => setAll(!event.currentTarget.checked)} /> decisions only
    </label>
  );
  return (
    <Section title="What happened" id="history" side={side}>
      <DataTable
        name="What happened, newest first"
        rows={pages.rows}
        keyOf={(event) => String(event.seq)}
        columns={[
          {key: 'at', head: 'When', cell: (event) => <Time at={event.at} />},
          {key: 'what', head: 'What', cell: (event) => <What event={event} explain={explain} />},
        ]}
      />
      <Pager pages={pages} earlier={report.events.earlier} json={`/api/v1/rollouts/${report.rollout.id}/events`} />
    </Section>
  );
}
