// What went wrong, in the server's own words.
import type {JSX} from 'preact';
import {ApiProblem} from '../client';

export function ProblemBox({problem, retry}: {problem: ApiProblem; retry?: () => void}): JSX.Element {
  const status = problem.status > 0 ? ` (${problem.status})` : '';
  return (
    <div class="problem" role="alert">
      <p><strong>{problem.title}{status}.</strong> {problem.detail}</p>
      {problem.errors.length > 1 && <ul>{problem.errors.map(({pointer, detail}) => <li key={pointer}><code>{pointer}</code> {detail}</li>)}</ul>}
      {retry && <p><button type="button" class="small" onClick={retry}>Try again</button></p>}
    </div>
  );
}

// Whatever was thrown as something that can be shown.
export const asProblem = (error: unknown): ApiProblem =>
  error instanceof ApiProblem ? error : new ApiProblem(0, 'The page failed', error instanceof Error ? error.message : String(error));
