// What was sent and what became of it: orders and notifications of all rollouts; the dead are tried again from here.
import type {JSX} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import type {Deliveries, FleetDelivery} from '../api';
import {post} from '../client';
import {useData, useRefresh} from '../data';
import {onEvent} from '../live';
import {Link, navigate} from '../router';
import {Page, ReasonDialog} from '../ui';
import {askedBy, deliveriesHref, deliveriesPath, deliveriesSentence, kindOf, redeliverText, type Asked} from './deliveries';
import {DeliveryRows} from './rows';

const kEmpty: Record<Asked['show'], string> = {
  all: 'Nothing was sent yet.',
  failed: 'None: everything that was sent was taken, or replaced before it had to be.',
  open: 'Nothing is on its way.',
};

function Filters({asked, value}: {asked: Asked; value: Deliveries | null}): JSX.Element {
  const counts = value?.counts;
  const tabs: [Asked['show'], string][] = [
    ['all', 'All'],
    ['failed', `Failed${counts ? ` (${counts.failed})` : ''}`],
    ['open', `On the way${counts ? ` (${counts.pending + counts.accepted})` : ''}`],
  ];
  const go = (change: Partial<Asked>) => deliveriesHref({...asked, cursor: '', ...change});
  const names = (value?.targets ?? []).map(({name}) => name);
  return (
    <div class="filters">
      <nav class="tabs" aria-label="Which deliveries">
        {tabs.map(([show, text]) => <Link key={show} href={go({show})} aria-current={show === asked.show ? 'page' : undefined}>{text}</Link>)}
      </nav>
      <select aria-label="Orders or notifications" value={asked.class} onChange={(event) => navigate(go({class: event.currentTarget.value}))}>
        <option value="">orders and notifications</option>
        <option value="order">orders</option>
        <option value="notification">notifications</option>
      </select>
      <select aria-label="Target" value={asked.target} onChange={(event) => navigate(go({target: event.currentTarget.value}))}>
        <option value="">any target</option>
        {[...new Set(asked.target ? [...names, asked.target] : names)].map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </div>
  );
}

export function DeliveriesView({query}: {query: URLSearchParams}): JSX.Element {
  const asked = askedBy(query);
  const path = deliveriesPath(asked);
  const data = useData<Deliveries>(path, {apart: 3000});
  const {value, reload} = data;
  const [again, setAgain] = useState<FleetDelivery | null>(null);
  useEffect(() => onEvent(reload), [reload]);
  useRefresh(reload, 15_000);
  const redeliver = async (delivery: FleetDelivery, reason: string, by: string) => {
    await post(`/api/v1/deliveries/${encodeURIComponent(delivery.id)}/redeliver`, by ? {reason, by} : {reason});
    reload();
  };
  return (
    <Page title="Deliveries" headline={value && deliveriesSentence(value)} data={data} json={path}>
      <Filters asked={asked} value={value} />
      {value && <DeliveryRows rows={value.items} empty={kEmpty[asked.show]} onRedeliver={setAgain} />}
      {value && (value.next_cursor || asked.cursor) && (
        <p class="pages">
          {asked.cursor && <Link href={deliveriesHref({...asked, cursor: ''})}>The newest</Link>}
          {value.next_cursor && <Link href={deliveriesHref({...asked, cursor: value.next_cursor})}>More, older ones</Link>}
        </p>
      )}
      {again && (
        <ReasonDialog title={`Redeliver ${kindOf(again)}`} text={redeliverText(again)} verb="Redeliver" danger={again.class === 'order'}
          onSubmit={({reason, by}) => redeliver(again, reason, by)} onClose={() => setAgain(null)} />
      )}
    </Page>
  );
}
