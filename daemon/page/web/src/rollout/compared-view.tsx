// The candidate beside stable: what was counted, how they differ, and what may be said of it.
import type {JSX} from 'preact';
import type {Arm, ArmSums, Compared, Rollout} from '../api';
import {number} from '../format';
import {Code} from '../ui/copy';
import {type Column, DataTable, Facts} from '../ui/table';
import {armWords, assumptions, comparedSentence, earlyWords, promiseWords, ratioWords, togetherWords} from './compared';

interface Row extends ArmSums {
  version: string;
}

const whole = (value: number | null): string => (value === null ? '–' : Math.round(value).toLocaleString('en'));
const share = ({rate}: ArmSums): string => (rate === null ? '–' : `${Number((100 * rate).toPrecision(3))} %`);

const slower = ({score}: Pick<Compared, 'score'>): string => (score?.boundary ? `Slower than ${number(score.boundary)}` : 'Slower');

function columnsOf(one: Compared): Column<Row>[] {
  const {kind, candidate} = one;
  const version: Column<Row> = {key: 'version', head: 'Version', cell: (row) => row.version};
  if (candidate.events === null) return [version, {key: 'mean', head: 'On average', num: true, cell: ({mean}) => number(mean)}];
  return [
    version,
    {key: 'events', head: 'Events', num: true, cell: ({events}) => whole(events)},
    {key: 'bad', head: kind === 'rate' ? 'Bad' : slower(one), num: true, cell: ({bad}) => whole(bad)},
    {key: 'rate', head: 'Share', num: true, cell: share},
  ];
}

export function ComparedView({one, gating, name, rollout}: {one: Compared; gating: boolean; name: string; rollout: Rollout}): JSX.Element {
  return (
    <>
      <p class="sentence">{comparedSentence(one, gating)}</p>
      <DataTable
        name={`Both versions in ${name}`}
        class="settings"
        rows={[{version: `candidate ${rollout.candidate}`, ...one.candidate}, {version: `stable ${rollout.stable ?? ''}`, ...one.stable}]}
        keyOf={({version}) => version}
        columns={columnsOf(one)}
      />
      <Facts items={[
        ['Ratio', ratioWords(one)],
        ['Shared trouble', one.shared],
        ['All comparisons together', togetherWords(one)],
        ['Promise', promiseWords(one)],
        ['Early promotion', earlyWords(one)],
        ['What this rollout can see', one.outlook],
      ]} />
      <details class="more">
        <summary>What is assumed</summary>
        <ul class="lines">{assumptions(one).map((each) => <li key={each}>{each}</li>)}</ul>
      </details>
    </>
  );
}

// What a condition asks: once, or each version alone.
export function Questions({of, name, graph}: {of: (Partial<Arm> & {query: string; curl?: string})[]; name: string; graph: string | null}): JSX.Element {
  return (
    <div class="questions">
      {of.map((asked, index) => {
        const whose = armWords(asked);
        const what = whose ? `${name}, ${whose}` : name;
        return (
          <div key={whose}>
            {whose && <h4>{whose}</h4>}
            <Code text={asked.query.trim()} what={`query of ${what}`}>
              {index === 0 && graph ? <a href={graph} target="_blank" rel="noreferrer">Open in Prometheus</a> : null}
            </Code>
            {asked.curl && <Code text={asked.curl} what={`command line of ${what}`} />}
          </div>
        );
      })}
    </div>
  );
}
