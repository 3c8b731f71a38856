// Every rollout: the active ones first, those that ended below; live.
import type {JSX} from 'preact';
import {useEffect} from 'preact/hooks';
import type {Fleet} from '../api';
import {serverNow} from '../clock';
import {useData, useSlots} from '../data';
import {onEvent} from '../live';
import {Link} from '../router';
import {Ago, Page, Section} from '../ui';
import {FilterBar} from './filter_bar';
import {fleetPath, filtersHref, narrowed, parseFilters, type Filters} from './filters';
import {fleetSentence, nextSlot, withEvent} from './fleet';
import {ActiveRows, EndedRows} from './rows';

function Pages({filters, cursor, next}: {filters: Filters; cursor: 'cursor' | 'ended_cursor'; next: string | undefined}): JSX.Element | null {
  if (!next && !filters[cursor]) return null;
  return (
    <p class="pages">
      {filters[cursor] && <Link href={filtersHref({...filters, [cursor]: ''})}>The newest</Link>}
      {next && <Link href={filtersHref({...filters, [cursor]: next})}>More, older ones</Link>}
    </p>
  );
}

export function FleetView({query}: {query: URLSearchParams}): JSX.Element {
  const filters = parseFilters(query);
  const path = fleetPath(filters);
  const data = useData<Fleet>(path, {seq: ({seq}) => seq, apart: 2000});
  const {value, patch, reload} = data;
  useEffect(
    () => onEvent((event) => {
      patch((fleet) => withEvent(fleet, event));
      reload();
    }),
    [patch, reload],
  );
  useSlots(data, value && nextSlot(value.active.items));
  const some = narrowed(filters);
  return (
    <Page title="Fleet" headline={value && fleetSentence(value, some, serverNow())} data={data} json={path}>
      <FilterBar filters={filters} />
      {value?.freeze && (
        <p class="notice warn">
          {value.freeze.text}{value.freeze.until && <>, until <Ago at={value.freeze.until} /></>}. Rollouts are watched and may be rolled back; none goes on.
        </p>
      )}
      {value && (
        <>
          <Section title="Active">
            <ActiveRows rows={value.active.items} filters={filters} empty={some ? 'None matches the filter.' : 'None. A deployer registers one with POST /api/v1/rollouts, a person with rollwatch start.'} />
            <Pages filters={filters} cursor="cursor" next={value.active.next_cursor} />
          </Section>
          <Section title="Ended">
            <EndedRows rows={value.ended.items} filters={filters} empty={some ? 'None matches the filter.' : 'None yet.'} />
            <Pages filters={filters} cursor="ended_cursor" next={value.ended.next_cursor} />
          </Section>
        </>
      )}
    </Page>
  );
}
