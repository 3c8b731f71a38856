// Tables: rows of one kind, and pairs of a name and a value.
import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';

export interface Column<Row> {
  key: string;
  head: string;
  cell: (row: Row) => ComponentChildren;
  num?: boolean; // aligned at the end
}

interface Props<Row> {
  name: string; // what it is a table of, for who cannot see it
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  empty?: ComponentChildren;
  stack?: boolean; // on a narrow screen every row becomes a block (else the table scrolls in its own box)
  rowProps?: (row: Row) => Record<string, string>;
  class?: string;
}

// A box that scrolls sideways by itself; it is a stop of the keyboard only while there is something to scroll.
export function Scroll({name, children}: {name: string; children: ComponentChildren}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () => setScrolls(element.scrollWidth > element.clientWidth + 1);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);
  const reachable = scrolls ? {role: 'region' as const, 'aria-label': name, tabIndex: 0} : {};
  return <div class="scroll" ref={box} {...reachable}>{children}</div>;
}

export function DataTable<Row>(props: Props<Row>): JSX.Element {
  const {name, columns, rows, keyOf, empty, stack, rowProps} = props;
  if (rows.length === 0) return <p class="empty">{empty ?? 'Nothing here.'}</p>;
  // Roles are said although they are a table's own: as blocks the elements would lose them.
  return (
    <Scroll name={name}>
      <table role="table" class={`data${stack ? ' stack' : ''} ${props.class ?? ''}`}>
        <caption class="unseen">{name}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({key, head, num}) => <th key={key} scope="col" role="columnheader" class={`c-${key}${num ? ' num' : ''}`}>{head}</th>)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row" {...rowProps?.(row)}>
              {columns.map(({key, head, cell, num}) => (
                <td key={key} role="cell" data-label={head} class={`c-${key}${num ? ' num' : ''}`}>{cell(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

// Names and values: <dl> with those left out that have no value (null or undefined).
export function Facts({items}: {items: [string, ComponentChildren][]}): JSX.Element {
  return (
    <dl class="facts">
      {items.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}
