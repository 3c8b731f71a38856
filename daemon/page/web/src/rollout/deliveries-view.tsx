// Orders and notifications of this rollout, each with its attempts.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';
import type {FleetDelivery} from '../api';
import {post} from '../client';
import {kindOf, redeliverText} from '../deliveries/deliveries';
import {DeliveryRows} from '../deliveries/rows';
import {ReasonDialog, Section} from '../ui';
import {Pager, usePages} from './pager';
import type {Report} from './report';

const kPage = 25;

export function Deliveries({report, changed}: {report: Report; changed: () => void}): JSX.Element {
  const [again, setAgain] = useState<FleetDelivery | null>(null);
  const {rollout, deliveries} = report;
  const {namespace, service, target, candidate} = rollout;
  const newest = deliveries.items.map((one): FleetDelivery => ({redeliverable: false, ...one, namespace, service, rollout_target: target, candidate})).reverse();
  const pages = usePages(newest, kPage);
  return (
    <Section title="Orders and notifications" id="deliveries">
      <DeliveryRows rows={[...pages.rows]} empty="Nothing was sent yet." onRedeliver={setAgain} />
      <Pager pages={pages} earlier={deliveries.earlier} json={`/api/v1/rollouts/${rollout.id}/deliveries`} />
      {again !== null && (
        <ReasonDialog
          title={`Redeliver ${kindOf(again)}`}
          text={redeliverText(again)}
          verb="Redeliver"
          danger={again.class === 'order'}
          onSubmit={async ({reason, by}) => {
            await post(`/api/v1/deliveries/${encodeURIComponent(again.id)}/redeliver`, by ? {reason, by} : {reason});
            changed();
          }}
          onClose={() => setAgain(null)}
        />
      )}
    </Section>
  );
}
