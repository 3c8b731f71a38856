// Which view an address shows, and the frame around it.
import type {JSX} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import {DeliveriesView} from './deliveries/view';
import {FleetView} from './fleet/view';
import {Header} from './header';
import {PoliciesView} from './policies/list';
import {PolicyView} from './policies/view';
import {RolloutView} from './rollout/view';
import {useRoute, Link, type Route} from './router';
import {useSession} from './session';
import {SystemView} from './system/view';
import {Page} from './ui/page';
import {TokenEntry} from './ui/token';

function Missing({path}: {path: string}): JSX.Element {
  return (
    <Page title="No such page" headline={`There is nothing at ${path}.`}>
      <p><Link href="/">All rollouts</Link></p>
    </Page>
  );
}

function View({route}: {route: Route}): JSX.Element {
  switch (route.view) {
    case 'fleet': return <FleetView query={route.query} />;
    case 'rollout': return <RolloutView key={route.id} id={route.id} />;
    case 'policies': return <PoliciesView />;
    case 'policy': return <PolicyView key={route.name} name={route.name} query={route.query} />;
    case 'deliveries': return <DeliveriesView query={route.query} />;
    case 'system': return <SystemView />;
    case 'missing': return <Missing path={route.path} />;
  }
}

// What makes another view of it: filters do not.
const placeOf = (route: Route): string =>
  'id' in route ? route.id : 'name' in route ? route.name : 'path' in route ? route.path : route.view;

export function App(): JSX.Element {
  const route = useRoute();
  const {asks} = useSession();
  const place = placeOf(route);
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    document.getElementById('app')?.focus({preventScroll: true}); // so that a reader begins there, and Tab goes on from there
  }, [place]);
  return (
    <>
      <a class="skip" href="#app">Skip to the content</a>
      <Header view={route.view} />
      {asks === null ? <View route={route} /> : <TokenEntry why={asks} />}
      <footer class="foot"><a href="/openapi.json">API</a> <a href="/metrics">Metrics</a></footer>
    </>
  );
}
