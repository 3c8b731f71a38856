// What the policy's conditions come to now, for a service and a version: nothing is recorded, nothing follows.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import type {CheckAnswer, CheckedCondition} from '../api';
import {post, type ApiProblem} from '../client';
import {number} from '../format';
import {navigate} from '../router';
import {Questions} from '../rollout/compared-view';
import {asProblem, OutcomeWord, ProblemBox, Section, Time} from '../ui';
import {kOutcomes, wordOf} from '../words';
import {askedBy, checkBody, checkHref, checkSentence, type Asked, type Field} from './check_request';

const kLabels: Partial<Record<Field, string>> = {
  service: 'Service', candidate: 'Candidate', stable: 'Stable', namespace: 'Namespace', target: 'Target', labels: 'Labels', args: 'Args',
};
const kFirst: Field[] = ['service', 'candidate', 'stable'];
const kMore: Field[] = ['namespace', 'target', 'labels', 'args'];
const kPlaceholder: Partial<Record<Field, string>> = {
  stable: 'none', namespace: 'default', target: 'default', labels: 'tier=web, zone=a', args: 'name=value',
};

function Result({item}: {item: CheckedCondition}): JSX.Element {
  return (
    <details class="card" open={item.outcome !== 'pass'}>
      <summary><h3>{item.condition}</h3> <OutcomeWord outcome={item.outcome} /> <span>{item.detail}</span></summary>
      <p class="quiet">
        {item.series && <>series {item.series} · </>}
        {item.evidence && <>{number(item.evidence.value)} events of evidence · </>}
        evaluated for <Time at={item.evaluated_at} /> by {item.datasource}, in {item.duration_ms} ms
      </p>
      {item.warnings.map((warning) => <p key={warning} class="notice warn">{warning}</p>)}
      {item.query && <Questions of={item.arms ?? [item]} name={item.condition} graph={item.graph_url} />}
    </details>
  );
}

export function CheckForm({policy, conditions, query}: {policy: string; conditions: string[]; query: URLSearchParams}): JSX.Element {
  const [asked, setAsked] = useState<Asked>(() => askedBy(query));
  const [answer, setAnswer] = useState<CheckAnswer | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      navigate(checkHref(policy, asked), 'replace'); // so that what was asked can be linked to
      setAnswer(await post<CheckAnswer>('/api/v1/check', checkBody(policy, asked)));
    } catch (error) {
      setProblem(asProblem(error));
      setAnswer(null);
    }
    setBusy(false);
  };
  const input = (field: Field) => (
    <div class="field" key={field}>
      <label for={`check-${field}`}>{kLabels[field]}</label>
      <input id={`check-${field}`} value={asked[field]} required={field === 'service' || field === 'candidate'} placeholder={kPlaceholder[field]}
        autocomplete="off" spellcheck={false} onInput={(event) => setAsked({...asked, [field]: event.currentTarget.value})} />
    </div>
  );
  return (
    <Section title="Check against now" id="check">
      <form class="check" onSubmit={(event) => void submit(event)}>
        <p class="quiet">What the conditions come to at this moment, evaluated as a slot of a rollout's first step. Nothing is recorded, and nothing follows.</p>
        <div class="fields">{kFirst.map(input)}
          <div class="field">
            <label for="check-condition">Condition</label>
            <select id="check-condition" value={asked.condition} onChange={(event) => setAsked({...asked, condition: event.currentTarget.value})}>
              <option value="">all</option>
              {conditions.map((name) => <option key={name} value={name}>{name}</option>)}
            </select>
          </div>
        </div>
        <details open={kMore.some((field) => asked[field] !== '')}><summary>Namespace, target, labels, args</summary><div class="fields">{kMore.map(input)}</div></details>
        <div class="buttons"><button type="submit" class="primary" disabled={busy}>{busy ? 'Checking …' : 'Check now'}</button></div>
      </form>
      <div aria-live="polite">
        {problem && <ProblemBox problem={problem} />}
        {answer && (
          <>
            <p class="sentence">{checkSentence(answer.items, (outcome) => wordOf(kOutcomes, outcome).text)}</p>
            {answer.left_out.length > 0 && <p class="quiet">Left out, for they need a stable version: {answer.left_out.join(', ')}.</p>}
            {answer.warnings.map((warning) => <p key={warning} class="notice warn">{warning}</p>)}
            {answer.items.map((item) => <Result key={item.condition} item={item} />)}
          </>
        )}
      </div>
    </Section>
  );
}
