// A condition: how it stands against its limit, its latest slots, its values over time, what they count, and the
// question as it was sent.
import type {JSX} from 'preact';
import {useMemo} from 'preact/hooks';
import type {Comparison} from '../api';
import {useNow} from '../clock';
import {number} from '../format';
import {Code} from '../ui/copy';
import {VerdictWord} from '../ui/mark';
import {Time} from '../ui/time';
import {failingRanges, pointsOf, type Range, scaleOf} from './chart-data';
import type {Limit, Scene, StepMark} from './chart-draw';
import {ChartView} from './chart';
import {meters} from './meters';
import {type Report, type ReportCondition, spanOf} from './report';
import {NextSlot, SlotTable, Strip} from './strip-view';

function ruleWords(one: ReportCondition): string {
  if (one.series === 'any') return 'fails if a series comes back';
  if (one.series === 'none') return 'fails if no series comes back';
  const fails = one.fail_if === null ? '' : `fails if ${one.fail_if.op} ${number(one.fail_if.value)}`;
  const passes = one.pass_if === null ? '' : `passes if ${one.pass_if.op} ${number(one.pass_if.value)}`;
  return [fails, passes].filter((words) => words !== '').join(', ');
}

function limitOf(comparison: Comparison | null, verb: string): Limit[] {
  if (comparison === null) return [];
  const {op, value} = comparison;
  return [{value, text: `${verb} ${op} ${number(value)}`, above: !op.startsWith('<'), fails: verb === 'fails'}];
}

function sceneOf(one: ReportCondition, time: Range, steps: readonly StepMark[]): Scene {
  const points = pointsOf(one.points);
  const limits = [...limitOf(one.pass_if, 'passes'), ...limitOf(one.fail_if, 'fails')];
  const scale = scaleOf(points, limits.map(({value}) => value));
  const last = points.at(-1);
  const span = spanOf(one.window);
  const window = last === undefined || span === null ? null : {from: (last.at - span) / 1000, to: last.at / 1000};
  return {points, scale, time, failing: failingRanges(one.fail_if, scale), failIf: one.fail_if, limits, window, steps};
}

function Tags({one}: {one: ReportCondition}): JSX.Element {
  const follows = {rollback: 'rolls back', pause: 'pauses', observe: 'only observes'}[one.on_fail];
  return (
    <span class="tags">
      <span class="tag">{one.kind === 'readiness' ? 'readiness' : follows}</span>
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
        {one.evaluated_at === null ? 'The query as it will be sent' : <>The query as sent, for <Time at={one.evaluated_at} /></>} to {one.datasource}:
      </p>
      <Code text={one.query} what={`query of ${one.name}`}>
        {one.graph_url !== null && <a class="button small" href={one.graph_url} target="_blank" rel="noreferrer">Open in Prometheus</a>}
      </Code>
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
  return (
    <article class={`condition ${one.verdict}`} data-condition={one.name} aria-label={`Condition ${one.name}`}>
      <header class="condition-head">
        <h3>{one.name}</h3>
        <VerdictWord verdict={one.verdict} />
        <span class="condition-value"><b>{number(one.value)}</b> {rule}</span>
        <Tags one={one} />
        <NextSlot at={one.next_slot} />
      </header>
      <Strip name={one.name} slots={one.slots} />
      {scene.points.length > 0 && <ChartView name={one.name} rule={rule} scene={scene} caption={`Every ${one.interval}, over ${one.window}; the latest ${one.window} are shaded, and where it fails is hatched.`} />}
      <SlotTable name={one.name} slots={one.slots} />
      <Meters one={one} report={report} />
      <Query one={one} />
    </article>
  );
}
