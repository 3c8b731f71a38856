// Server-sent events out of a stream of text, as https://html.spec.whatwg.org/multipage/server-sent-events.html reads them.
export interface Block {
  id?: string;
  event?: string;
  data?: string;
  retry?: number;
}

export class SseParser {
  private rest = '';
  private block: Block = {};
  private seen = false;

  // The blocks that became complete with this piece. A comment alone is none.
  push(text: string): Block[] {
    const blocks: Block[] = [];
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line === '') {
        if (this.seen) blocks.push(this.block);
        this.block = {};
        this.seen = false;
      } else {
        this.field(line);
      }
    }
    return blocks;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.block.data = this.block.data === undefined ? value : `${this.block.data}\n${value}`;
    else if (name === 'event') this.block.event = value;
    else if (name === 'id') this.block.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.block.retry = Number(value);
    else return;
    this.seen = true;
  }
}
