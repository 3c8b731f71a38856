// What stands above every view: where one is, whether it is live, whose token it is, dark or light.
import type {JSX} from 'preact';
import type {Route} from './router';
import {Link} from './router';
import {useNow} from './clock';
import type {Connection} from './connection';
import {duration, localTime} from './format';
import {live, tryNow} from './live';
import {forgetToken, useSession} from './session';
import {useStore} from './store';
import {choice, choose, type Choice} from './theme';
import {Mark} from './ui/mark';

const kPlaces: {href: string; text: string; views: Route['view'][]}[] = [
  {href: '/', text: 'Fleet', views: ['fleet', 'rollout']},
  {href: '/policies', text: 'Policies', views: ['policies', 'policy']},
  {href: '/deliveries', text: 'Deliveries', views: ['deliveries']},
  {href: '/system', text: 'System', views: ['system']},
];

const kNext: Record<Choice, Choice> = {auto: 'dark', dark: 'light', light: 'auto'};
const kThemeText: Record<Choice, string> = {auto: 'as the system', dark: 'dark', light: 'light'};

function ThemeButton(): JSX.Element {
  const now = useStore(choice);
  const label = `Theme: ${kThemeText[now]}. Change to ${kThemeText[kNext[now]]}`;
  return (
    <button type="button" class="icon" aria-label={label} title={label} onClick={() => choose(kNext[now])}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.25" fill={now === 'dark' ? 'currentColor' : 'none'} stroke="currentColor" stroke-width="1.5" />
        {now === 'auto' && <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill="currentColor" />}
      </svg>
    </button>
  );
}

const kSaid: Record<Connection['state'], string> = {
  connecting: 'Connecting …',
  live: 'Live',
  reconnecting: 'Reconnecting …',
  off: 'Not live',
};

function ConnectionWord(): JSX.Element {
  const {state} = useStore(live);
  return (
    <span class={`connection ${state}`} role="status" data-connection={state}>
      <Mark shape={state === 'live' ? 'check' : state === 'off' ? 'slash' : 'wait'} tone={state === 'live' ? 'good' : state === 'connecting' ? 'quiet' : 'warn'} />
      {kSaid[state]}
    </span>
  );
}

function Banner(): JSX.Element | null {
  const now = useNow();
  const {state, why, freshAt, retryAt} = useStore(live);
  if (state === 'live' || state === 'connecting') return null;
  const left = retryAt === null ? null : Math.max(0, Math.ceil((retryAt - now) / 1000) * 1000);
  return (
    <div class="banner">
      <p>
        <strong>Not live.</strong> {why} {freshAt !== null && <>What is shown was true at {localTime(freshAt, now)}. </>}
        {left !== null && (left > 0 ? `It is tried again in ${duration(left)}.` : 'It is being tried now.')}
      </p>
      <button type="button" class="small" onClick={tryNow}>Try now</button>
    </div>
  );
}

export function Header({view}: {view: Route['view']}): JSX.Element {
  const {token, me, asks} = useSession();
  return (
    <header class="top">
      <div class="top-in">
        <Link class="brand" href="/">Rollwatch</Link>
        <nav aria-label="Main">
          {kPlaces.map(({href, text, views}) => (
            <Link key={href} href={href} aria-current={views.includes(view) ? 'page' : undefined}>{text}</Link>
          ))}
        </nav>
        <div class="top-side">
          {asks === null && <ConnectionWord />}
          {token && me && (
            <button type="button" class="small" title={`Token ${me.token ?? me.name}; may ${me.scopes.join(', ')}`}
              onClick={() => forgetToken('The token was forgotten.')}>Forget {me.token ?? me.name}</button>
          )}
          <ThemeButton />
        </div>
      </div>
      {asks === null && <Banner />}
    </header>
  );
}
