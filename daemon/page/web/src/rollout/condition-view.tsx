// A condition: how it stands against its limit, its latest slots, its values over time, what they count, and the
// question as it was sent.
import type {JSX} from 'preact';
import {useMemo} from 'preact/hooks';
import {useNow} from '../clock';
import {number} from '../format';
import {Code} from '../ui/copy';
import {VerdictWord} from '../ui/mark';
import {Time} from '../ui/time';
import type {Range} from './chart-data';
import type {StepMark} from './chart-draw';
import {ChartView} from './chart';
import {promiseTag} from './compared';
import {ComparedView, Questions} from './compared-view';
import {meters} from './meters';
import type {Report, ReportCondition} from './report';
import {captionOf, ruleWords, sceneOf} from './scene';
import {NextSlot, SlotTable, Strip} from './strip-view';

function Tags({one, report}: {one: ReportCondition; report: Report}): JSX.Element {
  const promise = promiseTag(one, report);
  const follows = {rollback: 'rolls back', pause: 'pauses', observe: 'only observes'}[one.on_fail];
  return (
    <span class="tags">
      <span class="tag">{one.kind === 'readiness' ? 'readiness' : follows}</span>
      {one.kind === 'count' && <span class="tag">counted since the step began</span>}
      {promise && <span class="tag">{promise}</span>}
      {!one.applies && <span class="tag">not asked at this weight</span>}
      {one.failed && <span class="tag bad">limit reached</span>}
    </span>
  );
}

function Meters({one, report}: {one: ReportCondition; report: Report}): JSX.Element {
  const now = useNow(1000);
  return (
    <ul class="meters">
      {meters(one, report, now).map((meter) => (
        <li key={meter.name} class={`${meter.bad ? 'of-bad' : 'of-good'}${meter.value >= meter.most ? ' full' : ''}`}>
          <progress value={meter.value} max={meter.most} aria-label={meter.text} />
          <span>{meter.text}</span>
        </li>
      ))}
    </ul>
  );
}

function Query({one}: {one: ReportCondition}): JSX.Element {
  return (
    <div class="query">
      <p class="quiet">
        {one.arms ? 'The queries as ' : 'The query as '}
        {one.evaluated_at === null ? 'it will be sent' : <>sent, for <Time at={one.evaluated_at} /></>} to {one.datasource}:
      </p>
      <Questions of={one.arms ?? [{query: one.query}]} name={one.name} graph={one.graph_url} />
      {(one.evidence_query !== null || one.curl !== null) && (
        <details class="more">
          <summary>{one.evidence_query === null ? 'As a command line' : 'Evidence query and command line'}</summary>
          {one.evidence_query !== null && <Code text={one.evidence_query} what={`evidence query of ${one.name}`} />}
          {one.curl !== null && <Code text={one.curl} what={`command line of ${one.name}`} />}
        </details>
      )}
    </div>
  );
}

export function ConditionView({one, report, time, steps}: {one: ReportCondition; report: Report; time: Range; steps: readonly StepMark[]}): JSX.Element {
  const scene = useMemo(() => sceneOf(one, time, steps), [one, time, steps]);
  const rule = ruleWords(one);
  const {comparison} = one;
  return (
    <article class={`condition ${one.verdict}`} data-condition={one.name} aria-label={`Condition ${one.name}`}>
      <header class="condition-head">
        <h3>{one.name}</h3>
        <VerdictWord verdict={one.verdict} />
        <span class="condition-value">{comparison === null && <b>{number(one.value)}</b>} {rule}</span>
        <Tags one={one} report={report} />
        <NextSlot at={one.next_slot} />
      </header>
      {comparison !== null && <ComparedView one={comparison} gating={one.gating} name={one.name} rollout={report.rollout} />}
      <Strip name={one.name} slots={one.slots} />
      {scene.points.length > 0 && <ChartView name={comparison === null ? one.name : `The evidence of ${one.name}`} rule={comparison === null ? rule : `decides at ${number(comparison.needed)}`} scene={scene} caption={captionOf(one)} />}
      <SlotTable name={one.name} slots={one.slots} value={comparison === null ? 'Value' : 'Evidence'} />
      <Meters one={one} report={report} />
      <Query one={one} />
    </article>
  );
}
