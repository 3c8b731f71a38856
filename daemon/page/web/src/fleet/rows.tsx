// The rows of the fleet: active rollouts, and those that ended.
import type {JSX} from 'preact';
import type {FleetRow} from '../api';
import {Link, rolloutHref} from '../router';
import {Age, Ago, DataTable, Due, Sparkline, StateWord, VerdictWord, type Column} from '../ui';
import {changed, filtersHref, type Filters} from './filters';
import {compares, stepWords, why, worstWords} from './fleet';

function Where({row, filters}: {row: FleetRow; filters: Filters}): JSX.Element | null {
  const only = (name: 'namespace' | 'target') => {
    if (row[name] === 'default' || filters.exact[name]) return null;
    const href = filtersHref(changed(filters, {exact: {...filters.exact, [name]: row[name]}}));
    return <Link href={href} class="where" title={`Only ${name} ${row[name]}`}>{row[name]}</Link>;
  };
  return <>{only('namespace')} {only('target')}</>;
}

function Name({row, filters}: {row: FleetRow; filters: Filters}): JSX.Element {
  return (
    <>
      <Link class="row-name" href={rolloutHref(row.id)}>{row.service} {row.candidate}</Link>
      <span class="under">
        {row.stable ? <>over {row.stable} </> : 'first release '}
        {row.attempt > 1 && <>attempt {row.attempt} </>}
        {row.observe && <>only observed </>}
        <Where row={row} filters={filters} />
      </span>
    </>
  );
}

function Why({row}: {row: FleetRow}): JSX.Element {
  const text = why(row);
  return <><StateWord state={row.state} strong /><span class="under why" title={text}>{text}</span></>;
}

function StepCell({row}: {row: FleetRow}): JSX.Element {
  const weight = row.weight ?? 0;
  return (
    <>
      <span class="nowrap">{stepWords(row)}</span>
      <svg class="share" viewBox="0 0 100 4" width="100" height="4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="share-rest" width="100" height="4" rx="2" />
        <rect class="share-candidate" width={Math.max(0, Math.min(100, weight))} height="4" rx="2" />
      </svg>
    </>
  );
}

function WorstCell({row: {worst}}: {row: FleetRow}): JSX.Element {
  if (!worst) return <span class="quiet">–</span>;
  return (
    <>
      <span class="worst-name"><VerdictWord verdict={worst.verdict} /> {worst.name}</span>
      <span class="under" title={worst.detail ?? undefined}>
        {worstWords(worst)}{worst.failing > 0 && `, ${worst.failing} of ${worst.fail_after} fails`}
      </span>
    </>
  );
}

const rowProps = (row: FleetRow) => ({'data-state': row.state, 'data-verdict': row.verdict});

export function ActiveRows({rows, filters, empty}: {rows: FleetRow[]; filters: Filters; empty: string}): JSX.Element {
  const columns: Column<FleetRow>[] = [
    {key: 'name', head: 'Rollout', cell: (row) => <Name row={row} filters={filters} />},
    {key: 'state', head: 'State', cell: (row) => <Why row={row} />},
    {key: 'step', head: 'Step', cell: (row) => <StepCell row={row} />},
    {key: 'worst', head: 'Worst condition', cell: (row) => <WorstCell row={row} />},
    {
      key: 'trend', head: 'Latest slots',
      cell: ({worst}) => (worst?.recent ? <Sparkline points={worst.recent} limit={worst.limit} isLog={compares(worst)} name={worst.name} /> : <span class="quiet">–</span>),
    },
    {key: 'age', head: 'Age', num: true, cell: (row) => <Age since={row.created_at} />},
    {key: 'next', head: 'Next slot', num: true, cell: (row) => <Due at={row.next_slot} />},
  ];
  return <DataTable name="Active rollouts" class="fleet" columns={columns} rows={rows} keyOf={({id}) => id} rowProps={rowProps} empty={empty} stack />;
}

export function EndedRows({rows, filters, empty}: {rows: FleetRow[]; filters: Filters; empty: string}): JSX.Element {
  const columns: Column<FleetRow>[] = [
    {key: 'name', head: 'Rollout', cell: (row) => <Name row={row} filters={filters} />},
    {key: 'state', head: 'Ended as', cell: (row) => <Why row={row} />},
    {key: 'age', head: 'Ended', num: true, cell: (row) => <Ago at={row.ended_at} />},
    {key: 'next', head: 'Took', num: true, cell: (row) => <Age since={row.created_at} until={row.ended_at} />},
  ];
  return <DataTable name="Rollouts that ended" class="fleet ended" columns={columns} rows={rows} keyOf={({id}) => id} rowProps={rowProps} empty={empty} stack />;
}
