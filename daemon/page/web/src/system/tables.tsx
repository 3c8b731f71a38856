// The tables of the system view.
import type {JSX} from 'preact';
import type {Datasource, Freeze, Node, Target} from '../api';
import {useNow} from '../clock';
import {address, Link} from '../router';
import {Ago, DataTable, Due, MarkedWord, Section, Time, type Column} from '../ui';
import {datasourceWord, delayWords, nodeWord, targetWord} from './system';

const kSources: Column<Datasource>[] = [
  {key: 'name', head: 'Datasource', cell: ({name, url}) => <><span class="row-name">{name}</span><span class="under">{url}</span></>},
  {
    key: 'health', head: 'Health',
    cell: (row) => <><MarkedWord word={datasourceWord(row)} />{row.since && <span class="under">since <Time at={row.since} /></span>}</>,
  },
  {key: 'delay', head: 'Lag', num: true, cell: (row) => <span title="a slot is evaluated for its time minus this">{delayWords(row)}</span>},
  {key: 'answer', head: 'Last answer', num: true, cell: ({last_answer_at}) => <Ago at={last_answer_at} />},
  {key: 'load', head: 'In flight', num: true, cell: ({in_flight, max_concurrency, waiting}) => <>{in_flight} of {max_concurrency}{waiting > 0 && `, ${waiting} wait`}</>},
  {key: 'queries', head: 'Queries', num: true, cell: ({queries, failures}) => <>{queries}{failures > 0 && `, ${failures} failed`}</>},
  {
    key: 'error', head: 'Last error',
    cell: ({last_error, last_error_at}) => (last_error ? <>{last_error} <span class="quiet"><Ago at={last_error_at} /></span></> : <span class="quiet">none</span>),
  },
];

export const Datasources = ({datasources}: {datasources: Datasource[]}): JSX.Element => (
  <Section title="Datasources">
    <DataTable name="Datasources" columns={kSources} rows={datasources} keyOf={({name}) => name} stack empty="None is configured." />
  </Section>
);

const kTargets: Column<Target>[] = [
  {key: 'name', head: 'Target', cell: ({name, kind}) => <><span class="row-name">{name}</span><span class="under">{kind}</span></>},
  {
    key: 'breaker', head: 'Breaker',
    cell: (row) => (
      <>
        <MarkedWord word={targetWord(row)} />
        {row.breaker.since && row.breaker.state !== 'closed' && (
          <span class="under">since <Time at={row.breaker.since} />{row.breaker.next_probe && <>, next probe <Due at={row.breaker.next_probe} /></>}</span>
        )}
      </>
    ),
  },
  {key: 'failures', head: 'Failures in a row', num: true, cell: ({consecutive_failures}) => consecutive_failures},
  {key: 'open', head: 'Open deliveries', num: true, cell: ({name, open_deliveries}) => (open_deliveries > 0 ? <Link href={address('/deliveries', {show: 'open', target: name})}>{open_deliveries}</Link> : 0)},
  {key: 'error', head: 'Last error', cell: ({last_error}) => last_error ?? <span class="quiet">none</span>},
];

export const Targets = ({targets}: {targets: Target[]}): JSX.Element => (
  <Section title="Targets">
    <DataTable name="Orchestrators and notifiers" columns={kTargets} rows={targets} keyOf={({kind, name}) => `${kind} ${name}`} stack empty="Neither an orchestrator nor a notifier is configured." />
  </Section>
);

export function Nodes({nodes}: {nodes: Node[]}): JSX.Element {
  const now = useNow(5000);
  const columns: Column<Node>[] = [
    {
      key: 'name', head: 'Node',
      cell: ({name, number, answering}) => (
        <><span class="row-name">{name}</span><span class="under">{[number !== null && `number ${number}`, answering && 'this answer is from it'].filter(Boolean).join(', ')}</span></>
      ),
    },
    {key: 'health', head: 'Health', cell: (row) => <MarkedWord word={nodeWord(row, now)} />},
    {key: 'version', head: 'Version', cell: ({version}) => version},
    {key: 'rollouts', head: 'Rollouts', num: true, cell: ({rollouts}) => rollouts},
    {key: 'places', head: 'Places', num: true, cell: ({places}) => places ?? '–'},
    {key: 'joined', head: 'Joined', num: true, cell: ({joined_at}) => <Ago at={joined_at} />},
    {key: 'lease', head: 'Lease until', num: true, cell: ({lease_until}) => (lease_until ? <Ago at={lease_until} /> : <span class="quiet">alone: needs none</span>)},
  ];
  return (
    <Section title="Nodes and leases">
      <DataTable name="Nodes" columns={columns} rows={nodes} keyOf={({name}) => name} stack />
    </Section>
  );
}

export function Freezes({freezes}: {freezes: Freeze[]}): JSX.Element | null {
  if (freezes.length === 0) return null;
  return (
    <Section title="Freezes in force">
      <ul class="lines">
        {freezes.map((freeze) => (
          <li key={`${freeze.namespace}/${freeze.service}`}>
            {freeze.service ? <Link href={address('/', {namespace: freeze.namespace ?? '', service: freeze.service})}>{freeze.namespace}/{freeze.service}</Link> : <strong>Everything</strong>}
            : {freeze.text} <span class="quiet">since <Time at={freeze.since} />{freeze.until && <>, until <Time at={freeze.until} /></>}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
