// A setting's name. Where it has parts (`promote_margin.factor`), a line may end between them.
import type {JSX} from 'preact';

export const Key = ({name}: {name: string}): JSX.Element => (
  <code>{name.split('.').map((part, index) => (index === 0 ? part : <>.<wbr />{part}</>))}</code>
);
