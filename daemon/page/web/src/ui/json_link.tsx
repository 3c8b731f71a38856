// A link to an answer of the API. A browser sends no token with a link, so with one the answer is fetched and shown
// from memory.
import type {ComponentChildren, JSX} from 'preact';
import {useState} from 'preact/hooks';
import {ask} from '../client';
import {useSession} from '../session';
import {asProblem} from './problem';

export function JsonLink({href, children}: {href: string; children: ComponentChildren}): JSX.Element {
  const {token} = useSession();
  const [failed, setFailed] = useState('');
  const open = async (event: MouseEvent) => {
    if (!token) return;
    event.preventDefault();
    try {
      const text = await (await ask(href)).text();
      const address = URL.createObjectURL(new Blob([text], {type: 'application/json'}));
      window.open(address, '_blank', 'noopener');
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      setFailed('');
    } catch (error) {
      setFailed(asProblem(error).detail);
    }
  };
  return (
    <>
      <a class="json" href={href} onClick={(event) => void open(event)}>{children}</a>
      {failed && <span class="bad" role="alert"> {failed}</span>}
    </>
  );
}
