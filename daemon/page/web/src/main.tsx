// The page begins here.
// These two first: what gzip has to look back for then lies nearer (1.4 kB).
import 'uplot';
import './rollout/chart';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/views.css';
import './styles/server.css';
import {render} from 'preact';
import {App} from './app';
import {boot} from './boot';
import {whose} from './client';
import {beginLive} from './live';
import {beginSession, forgetToken, learnMe, session} from './session';
import {beginTheme} from './theme';
import {keepServerMade} from './ui/page';

// A token that was kept for this tab: what may it do?
async function askWho(): Promise<void> {
  const {token, me} = session.get();
  if (me || (!token && boot.me === null)) return;
  try {
    learnMe(await whose(token ?? ''));
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 401) forgetToken(token ? 'This token is not known (any more).' : 'A token is needed to read this.');
  }
}

beginTheme();
beginSession(boot);
void askWho();
const root = document.getElementById('root');
if (root) {
  keepServerMade(document.getElementById('app'));
  root.replaceChildren();
  render(<App />, root);
}
beginLive();
