// Alerts that count as a condition: which fire.
import type {JSX} from 'preact';
import type {Condition} from '../api';
import {VerdictWord} from '../ui/mark';
import {DataTable} from '../ui/table';
import {Ago, Time} from '../ui/time';
import {promiseTag} from './compared';
import type {Report} from './report';

export function AlertsView({alerts, report}: {alerts: Condition; report: Report}): JSX.Element {
  const promise = promiseTag({comparison: null, gating: alerts.on_fail !== 'observe'}, report);
  const follows = {rollback: 'rolls back', pause: 'pauses', observe: 'only observes'}[alerts.on_fail];
  return (
    <article class={`condition ${alerts.verdict}`} aria-label="Alerts">
      <header class="condition-head">
        <h3>{alerts.name}</h3>
        <VerdictWord verdict={alerts.verdict} />
        <span class="condition-value">fails if one fires with <code>{alerts.rule}</code></span>
        <span class="tags"><span class="tag">{follows}</span>{promise && <span class="tag">{promise}</span>}</span>
      </header>
      {alerts.last !== null && <p class="quiet">The latest, <Ago at={alerts.last.slot} />: {alerts.last.detail}</p>}
      <DataTable
        name="Alerts that fire"
        rows={alerts.firing ?? []}
        keyOf={(alert) => `${alert.name} ${alert.labels}`}
        empty="None fires."
        stack
        columns={[
          {key: 'name', head: 'Alert', cell: (alert) => (!/^https?:/.test(alert.generator_url ?? '') ? alert.name : <a href={alert.generator_url ?? ''} target="_blank" rel="noreferrer">{alert.name}</a>)},
          {key: 'labels', head: 'Labels', cell: (alert) => <code>{alert.labels}</code>},
          {key: 'summary', head: 'Summary', cell: (alert) => alert.summary ?? ''},
          {key: 'since', head: 'Since', cell: (alert) => <Time at={alert.starts_at} />},
          {key: 'counts', head: 'Counts', cell: (alert) => (alert.counts ? 'yes' : 'no, it fired before this began')},
        ]}
      />
    </article>
  );
}
