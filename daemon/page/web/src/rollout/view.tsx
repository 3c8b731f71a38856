// One rollout: what happened and why in the first line, then everything that led to it.
import './rollout.css';
import type {JSX} from 'preact';
import {useCallback, useEffect, useMemo, useRef, useState} from 'preact/hooks';
import {takeReport} from '../boot';
import {get} from '../client';
import {serverNow} from '../clock';
import {type Data, useData} from '../data';
import {onEvent} from '../live';
import {Page, Section} from '../ui/page';
import {StateWord} from '../ui/mark';
import {Actions, Question} from './actions-view';
import {AlertsView} from './alerts-view';
import {type Range, timeRange} from './chart-data';
import type {StepMark} from './chart-draw';
import {ConditionView} from './condition-view';
import {Deliveries} from './deliveries-view';
import {Explain} from './explain-view';
import {JsonLinks, Registered, Standing, Terms} from './facts-view';
import {History} from './history-view';
import {askAfter, joined, nextLook, type Report} from './report';
import {Legend} from './strip-view';
import {marksOf} from './track';
import {Track} from './track-view';

const kEventsApart = 300; // events of one step come together

// Keeps the report as the rollout is: after events about it, and after slots (which are no events) were due.
function useFollow(id: string, data: Data<Report>): () => void {
  const latest = useRef(data);
  latest.current = data;
  const busy = useRef(false);
  const soonAgain = useRef((): void => undefined);
  const again = useRef(false); // what is on its way may be older than what happened since
  const refresh = useCallback(async (): Promise<void> => {
    const {value, patch, reload} = latest.current;
    const after = value === null ? null : askAfter(value);
    if (after === null) return reload();
    again.current = busy.current;
    if (busy.current) return;
    busy.current = true;
    try {
      const newer = await get<Report>(`/api/v1/rollouts/${encodeURIComponent(id)}/report?after=${after}`);
      patch((now) => (now.evaluations_after === after ? joined(now, newer) : now));
    } catch {
      reload(); // which says what is wrong
    } finally {
      busy.current = false;
    }
    if (again.current) soonAgain.current();
  }, [id]);

  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const soon = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void refresh(), kEventsApart);
  }, [refresh]);
  soonAgain.current = soon;
  useEffect(() => {
    const stop = onEvent((event) => event.rollout === id && soon());
    return () => {
      stop();
      clearTimeout(timer.current);
    };
  }, [id, soon]);

  const {value} = data;
  useEffect(() => {
    const wait = value === null ? null : nextLook(value, serverNow());
    if (wait === null) return undefined;
    const look = (): void => {
      if (document.visibilityState === 'visible') void refresh();
      else waiting = setTimeout(look, 2000);
    };
    let waiting = setTimeout(look, wait);
    return () => clearTimeout(waiting);
  }, [value, refresh]);
  return soon;
}

function Conditions({report}: {report: Report}): JSX.Element {
  const steps: StepMark[] = useMemo(() => marksOf(report), [report]);
  const time: Range = useMemo(() => timeRange(report.conditions, steps), [report, steps]);
  const {conditions, alerts} = report;
  return (
    <Section title="Conditions" id="conditions" side={<Legend />}>
      {conditions.length === 0 && alerts === null && <p class="empty">Nothing is measured.</p>}
      {conditions.map((one) => <ConditionView key={one.name} one={one} report={report} time={time} steps={steps} />)}
      {alerts !== null && <AlertsView alerts={alerts} report={report} />}
    </Section>
  );
}

function Whole({report, changed}: {report: Report; changed: () => void}): JSX.Element {
  const [explained, setExplained] = useState<string | null>(null);
  const {rollout, decision} = report;
  return (
    <div class="rollout" data-state={rollout.state}>
      <Question report={report} />
      <div class="decide">
        <Actions report={report} changed={changed} />
        {decision !== null && <button type="button" onClick={() => setExplained(decision)}>Explain the latest decision</button>}
      </div>
      <Standing report={report} />
      <Section title="Steps" id="steps"><Track report={report} /></Section>
      <Conditions report={report} />
      <Deliveries report={report} changed={changed} />
      <History report={report} explain={setExplained} />
      <Section title="As registered" id="registered">
        <Registered rollout={rollout} />
        <Terms rollout={rollout} />
        <JsonLinks report={report} />
      </Section>
      {explained !== null && <Explain key={explained} rollout={rollout} decision={explained} close={() => setExplained(null)} />}
    </div>
  );
}

export function RolloutView({id}: {id: string}): JSX.Element {
  const path = `/api/v1/rollouts/${encodeURIComponent(id)}/report`;
  const [first] = useState(() => takeReport(id));
  const data = useData<Report>(path, {first, seq: (report) => report.seq});
  const changed = useFollow(id, data);
  const report = data.value;
  const title = report === null ? `Rollout ${id}` : `${report.rollout.service} ${report.rollout.candidate}`;
  return (
    <Page title={title} headline={report?.headline} data={data} json={path} side={report && <StateWord state={report.rollout.state} strong />}>
      {report !== null && <Whole report={report} changed={changed} />}
    </Page>
  );
}
