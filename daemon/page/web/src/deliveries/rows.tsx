// Deliveries as a table, with their attempts.
import type {JSX} from 'preact';
import type {FleetDelivery} from '../api';
import {count} from '../format';
import {Link, rolloutHref} from '../router';
import {may, useSession} from '../session';
import {Ago, DataTable, DeliveryWord, Time, type Column} from '../ui';
import {attemptWords, kindOf} from './deliveries';

// The latest attempt, and all of them behind it.
export function Attempts({delivery: {attempts}}: {delivery: Pick<FleetDelivery, 'attempts'>}): JSX.Element {
  const last = attempts[attempts.length - 1];
  if (!last) return <span class="quiet">none yet</span>;
  return (
    <details class="attempts">
      <summary>{count(attempts.length, 'attempt')}, the last <Ago at={last.at} />: {attemptWords(last)}</summary>
      <ol reversed>
        {[...attempts].reverse().map((attempt) => (
          <li key={attempt.at}>
            <Time at={attempt.at} /> {attemptWords(attempt)} <span class="quiet">in {attempt.duration_ms} ms</span>
            {attempt.answer && <code class="answer">{attempt.answer}</code>}
          </li>
        ))}
      </ol>
    </details>
  );
}

interface Props {
  rows: FleetDelivery[];
  empty: string;
  onRedeliver: (delivery: FleetDelivery) => void;
}

export function DeliveryRows({rows, empty, onRedeliver}: Props): JSX.Element {
  const session = useSession();
  const columns: Column<FleetDelivery>[] = [
    {
      key: 'what', head: 'What',
      cell: (row) => <><span class="row-name">{kindOf(row)}</span><span class="under">to {row.target}</span></>,
    },
    {
      key: 'rollout', head: 'Rollout',
      cell: (row) => (
        <>
          <Link href={rolloutHref(row.rollout)}>{row.service} {row.candidate}</Link>
          <span class="under">{[row.namespace, row.rollout_target].filter((each) => each !== 'default').join(' · ')}</span>
        </>
      ),
    },
    {
      key: 'state', head: 'State',
      cell: (row) => <><DeliveryWord state={row.state} />{row.held_because && <span class="under">{row.held_because}</span>}</>,
    },
    {key: 'attempts', head: 'Attempts', cell: (row) => <Attempts delivery={row} />},
    {key: 'age', head: 'Made', num: true, cell: (row) => <Ago at={row.created_at} />},
    {
      key: 'act', head: 'Again',
      cell: (row) =>
        row.redeliverable && may(session, 'decide', row.namespace)
          ? <button type="button" class="small" onClick={() => onRedeliver(row)}>Redeliver<span class="unseen"> {kindOf(row)} to {row.target}</span></button>
          : <span class="quiet">{row.redeliverable ? 'needs decide' : '–'}</span>,
    },
  ];
  return <DataTable name="Deliveries" class="deliveries" columns={columns} rows={rows} keyOf={({id}) => id} rowProps={({state}) => ({'data-state': state})} empty={empty} stack />;
}
