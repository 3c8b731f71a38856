// The bundle behind a decision: what was asked, what came back, what was made of it, and what the others said.
import type {JSX} from 'preact';
import type {Arm, Compared, Outcome, Rollout, Verdict} from '../api';
import {useData} from '../data';
import {number} from '../format';
import {Code} from '../ui/copy';
import {Dialog} from '../ui/dialog';
import {JsonLink} from '../ui/json_link';
import {OutcomeMark, OutcomeWord, VerdictWord} from '../ui/mark';
import {ProblemBox} from '../ui/problem';
import {DataTable, Facts} from '../ui/table';
import {Time} from '../ui/time';
import {armWords} from './compared';
import {ComparedView} from './compared-view';

interface Asked {
  query: string;
  value: number | null;
  response: string | null;
  response_sha256: string | null;
  curl: string;
}

interface Explained extends Asked {
  time: string;
  datasource: string;
  warnings: string[];
  rule: string | null;
  outcome: Outcome | null;
  series: string | null;
  arithmetic: string;
  graph_url: string;
  shared_with?: number;
  evidence?: Asked;
  arms?: (Arm & Asked)[]; // of a comparison, instead of the one question
}

interface Sibling {
  name: string;
  verdict: Verdict;
  outcome: Outcome | null;
  value: number | null;
  rule: string | null;
  detail: string;
}

interface Bundle {
  decision: {id: string; kind: string; by: string; at: string; reason: string; would_have: boolean; token?: string | null; from?: string | null};
  condition: string | null;
  comparison: Compared | null;
  promise: string | null;
  evaluation: Explained | null;
  window: {slot: string; outcome: Outcome; failing: boolean; value: number | null}[];
  siblings: Sibling[];
}

function Answer({title, asked, what}: {title: string; asked: Asked; what: string}): JSX.Element {
  return (
    <>
      <h3>{title}</h3>
      <Code text={asked.query} what={`query of ${what}`} />
      <p class="quiet">The answer{asked.response_sha256 !== null && <>, of SHA-256 <code>{asked.response_sha256}</code></>}:</p>
      {asked.response === null ? <p>None led to this decision.</p> : <Code text={asked.response} what={`answer to ${what}`} />}
      <p class="quiet">To ask again:</p>
      <Code text={asked.curl} what={`command line of ${what}`} />
    </>
  );
}

function Evaluation({one, condition}: {one: Explained; condition: string}): JSX.Element {
  return (
    <>
      <p><strong>{one.arithmetic}</strong></p>
      <Facts items={[
        ['Evaluated for', <Time at={one.time} />],
        ['Datasource', one.datasource],
        [one.arms ? 'Evidence' : 'Value', number(one.value)],
        ['Rule', one.rule],
        ['Outcome', one.outcome === null ? null : <OutcomeWord outcome={one.outcome} />],
        ['Series', one.series],
        ['Warnings', one.warnings.length === 0 ? null : one.warnings.join('; ')],
        ['Graph', <a href={one.graph_url} target="_blank" rel="noreferrer">Open in Prometheus</a>],
      ]} />
      {one.arms === undefined && <Answer title="What was asked, and what came back" asked={one} what={condition} />}
      {one.arms?.map((arm) => <Answer key={arm.query} title={`What was asked of the ${armWords(arm)}`} asked={arm} what={`${condition}, ${armWords(arm)}`} />)}
      {one.evidence !== undefined && <Answer title="Evidence" asked={one.evidence} what={`the evidence of ${condition}`} />}
    </>
  );
}

function Content({bundle, rollout}: {bundle: Bundle; rollout: Rollout}): JSX.Element {
  const {decision, evaluation, window, siblings} = bundle;
  const from = decision.from ? ` from ${decision.from}` : '';
  const token = decision.token && decision.token !== decision.by ? `, token ${decision.token}` : '';
  return (
    <>
      <p>
        {decision.would_have ? 'Would have ordered' : 'Ordered'} <strong>{decision.kind}</strong> <Time at={decision.at} /> by {decision.by}{token}{from}: {decision.reason}
      </p>
      {bundle.promise && <p>The promise: {bundle.promise}.</p>}
      {bundle.comparison && <ComparedView one={bundle.comparison} gating={false} name={bundle.condition ?? ''} rollout={rollout} />}
      {evaluation !== null && <Evaluation one={evaluation} condition={bundle.condition ?? 'the condition'} />}
      {window.length > 0 && (
        <>
          <h3>The slots that counted</h3>
          <p class="window">
            {window.map((slot) => <span key={slot.slot} class="window-slot"><OutcomeMark outcome={slot.outcome} /> {number(slot.value)} <Time at={slot.slot} /></span>)}
          </p>
        </>
      )}
      {siblings.length > 0 && (
        <>
          <h3>The other conditions at that moment</h3>
          <DataTable
            name="The other conditions at that moment"
            stack
            rows={siblings}
            keyOf={(one) => one.name}
            columns={[
              {key: 'name', head: 'Condition', cell: (one) => one.name},
              {key: 'verdict', head: 'Verdict', cell: (one) => <VerdictWord verdict={one.verdict} />},
              {key: 'value', head: 'Value', num: true, cell: (one) => number(one.value)},
              {key: 'rule', head: 'Rule', cell: (one) => one.rule ?? ''},
              {key: 'detail', head: 'In words', cell: (one) => one.detail},
            ]}
          />
        </>
      )}
    </>
  );
}

export function Explain({rollout, decision, close}: {rollout: Rollout; decision: string; close: () => void}): JSX.Element {
  const path = `/api/v1/rollouts/${encodeURIComponent(rollout.id)}/explain?decision=${encodeURIComponent(decision)}`;
  const data = useData<Bundle>(path);
  return (
    <Dialog title="Why?" onClose={close}>
      <div class="explain">
        {data.problem !== null && <ProblemBox problem={data.problem} />}
        {data.value === null ? data.problem === null && <p class="quiet">Loading …</p> : <Content bundle={data.value} rollout={rollout} />}
        <div class="buttons">
          <button type="button" onClick={close}>Close</button>
          <JsonLink href={path}>JSON</JsonLink>
        </div>
      </div>
    </Dialog>
  );
}
