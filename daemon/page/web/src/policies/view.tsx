// One policy: what it comes to with the defaults, where each value is from, and what it says now.
import type {JSX} from 'preact';
import type {ConditionRecord, JsonObject, Policy, Texts} from '../api';
import {useData} from '../data';
import {useSession} from '../session';
import {Link} from '../router';
import {Code, DataTable, Key, Page, Section, Time, type Column} from '../ui';
import {conditionsOf, policySentence, settings, shown, stepsOf, type PlannedStep, type Setting} from './analysis';
import {CheckForm} from './check';

const Source = ({source}: {source: string}): JSX.Element => (
  <span class={source === 'default' ? 'quiet' : ''}>{source === 'default' ? 'built-in default' : source || '–'}</span>
);

const kSettings: Column<Setting>[] = [
  {key: 'key', head: 'Key', cell: ({name}) => <Key name={name} />},
  {key: 'value', head: 'Value', cell: ({value}) => <span class="value">{value}</span>},
  {key: 'source', head: 'From', cell: ({source}) => <Source source={source} />},
];

const kSteps: Column<PlannedStep & {index: number}>[] = [
  {key: 'index', head: 'Step', num: true, cell: ({index}) => index + 1},
  {key: 'weight', head: 'Weight', num: true, cell: ({weight}) => weight},
  {key: 'hold', head: 'Held for', num: true, cell: ({hold}) => (hold === '0s' ? '–' : hold)},
  {key: 'approve', head: 'Then', cell: ({approve}) => (approve ? 'waits for an approval' : '–')},
  {key: 'source', head: 'From', cell: ({source}) => <Source source={source} />},
];

const kRecord: Column<ConditionRecord>[] = [
  {key: 'name', head: 'Condition', cell: ({name}) => name},
  {key: 'rollouts', head: 'Rollouts', num: true, cell: ({rollouts}) => rollouts},
  {key: 'answered', head: 'Answered', num: true, cell: ({answered}) => answered},
  {key: 'failed', head: 'Failed', num: true, cell: ({failed}) => failed},
];

const kCode = ['query', 'evidence', 'events', 'bad_events', 'buckets', 'count_of'];

function Condition({condition, index, sources}: {condition: JsonObject; index: number; sources: Texts}): JSX.Element {
  const name = shown(condition.name ?? '');
  return (
    <details class="card" open={index < 3}>
      <summary><h3>{name}</h3> <span class="quiet">{condition.compare ? `compared with stable: ${shown(condition.compare)}` : shown(condition.fail_if ?? condition.pass_if ?? '')}</span></summary>
      {kCode.filter((key) => typeof condition[key] === 'string').map((key) => (
        <div key={key}><h4>{key}</h4><Code text={String(condition[key]).trim()} what={`the ${key} of ${name}`} /></div>
      ))}
      <DataTable name={`Settings of ${name}`} class="settings pairs" stack columns={kSettings} rows={settings(condition, sources, `/condition/${index}`, ['name', ...kCode])} keyOf={(row) => row.name} />
    </details>
  );
}

export function PolicyView({name, query}: {name: string; query: URLSearchParams}): JSX.Element {
  const path = `/api/v1/policies/${encodeURIComponent(name)}`;
  const data = useData<Policy>(path);
  const {value} = data;
  const {me} = useSession();
  const conditions = value ? conditionsOf(value.analysis) : [];
  const steps = value ? stepsOf(value.analysis, value.analysis_sources) : [];
  return (
    <Page title={`Policy ${name}`} headline={value && policySentence(value)} data={data} json={path} side={<Link href="/policies">All policies</Link>}>
      {value && (
        <>
          {value.warnings && value.warnings.length > 0 && (
            <div class="notice warn"><strong>Worth a look:</strong><ul>{value.warnings.map((each) => <li key={each}>{each}</li>)}</ul></div>
          )}
          {me?.scopes.includes('register') && <CheckForm policy={name} conditions={conditions.map((each) => shown(each.name ?? ''))} query={query} />}
          {steps.length > 0 && (
            <Section title="Steps">
              <DataTable name="Steps" class="settings" stack columns={kSteps} rows={steps.map((step, index) => ({...step, index}))} keyOf={({index}) => String(index)} />
            </Section>
          )}
          <Section title="Conditions">
            {conditions.length === 0 && <p class="empty">None of its own.</p>}
            {conditions.map((condition, index) => <Condition key={index} condition={condition} index={index} sources={value.analysis_sources} />)}
          </Section>
          {value.record && (
            <Section title="Record">
              <p class="quiet">{value.record.rollouts} of the latest {value.record.looked_at} rollouts had it{value.record.since && <>, since <Time at={value.record.since} /></>}. A condition that never had an answer, or never failed, may be one that cannot.</p>
              <DataTable name="Record" class="settings" stack columns={kRecord} rows={value.record.conditions} keyOf={({name}) => name} empty="None of its conditions." />
            </Section>
          )}
          <Section title="Everything else">
            <p class="quiet">The built-in defaults, [defaults] and this policy, merged; what a service and a registration give comes on top.</p>
            <DataTable name="Settings of the policy" class="settings pairs" stack columns={kSettings} keyOf={(row) => row.name}
              rows={settings(value.analysis, value.analysis_sources, '', ['condition', 'steps', 'ramp', 'duration', 'version'])} />
          </Section>
        </>
      )}
    </Page>
  );
}
