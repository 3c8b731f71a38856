// The policies of the configuration.
import type {JSX} from 'preact';
import type {Items, PolicySummary} from '../api';
import {useData, useRefresh} from '../data';
import {count} from '../format';
import {Link, policyHref} from '../router';
import {DataTable, Page, type Column} from '../ui';

const kColumns: Column<PolicySummary>[] = [
  {key: 'name', head: 'Policy', cell: ({name}) => <Link class="row-name" href={policyHref(name)}>{name}</Link>},
  {key: 'steps', head: 'Steps', cell: ({steps}) => (steps > 0 ? `${count(steps, 'step')} below 100 %` : <span class="quiet">none: a part, registered with another</span>)},
  {key: 'conditions', head: 'Conditions', cell: ({conditions}) => (conditions.length > 0 ? conditions.join(', ') : <span class="quiet">none</span>)},
  {key: 'locked', head: 'A request may change', cell: ({locked}) => (locked ? 'only args (locked)' : 'everything')},
];

function sentence(items: PolicySummary[]): string {
  if (items.length === 0) return 'No policy is configured; a registration brings its whole analysis with it.';
  const conditions = items.reduce((sum, each) => sum + each.conditions.length, 0);
  return `${count(items.length, 'policy', 'policies')} ${items.length === 1 ? 'is' : 'are'} configured, with ${count(conditions, 'condition')} in all.`;
}

export function PoliciesView(): JSX.Element {
  const data = useData<Items<PolicySummary>>('/api/v1/policies');
  useRefresh(data.reload, 60_000);
  const items = data.value?.items ?? [];
  return (
    <Page title="Policies" headline={sentence(items)} data={data} json="/api/v1/policies">
      <DataTable name="Policies" columns={kColumns} rows={items} keyOf={({name}) => name} stack
        empty="Policies are [policy.NAME] tables of the configuration." />
    </Page>
  );
}
