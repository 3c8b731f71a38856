// What is to be checked, as the address says it and as the API wants it. Pure.
import {policyHref} from '../router';

export const kFields = ['service', 'candidate', 'stable', 'namespace', 'target', 'condition', 'labels', 'args'] as const;
export type Field = (typeof kFields)[number];
export type Asked = Record<Field, string>;

export function askedBy(query: URLSearchParams): Asked {
  return Object.fromEntries(kFields.map((field) => [field, query.get(field) ?? ''])) as Asked;
}

export const checkHref = (policy: string, asked: Asked): string => policyHref(policy, asked);

// "tier=web, zone=a" → {tier: "web", zone: "a"}; throws the sentence for what cannot be read.
export function pairs(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at < 0 || name === '') throw new Error(`“${part.trim()}” is not name=value`);
    result[name] = part.slice(at + 1).trim();
  }
  return result;
}

// The body of POST /api/v1/check; what was left empty is left out.
export function checkBody(policy: string, asked: Asked): Record<string, unknown> {
  const body: Record<string, unknown> = {policy};
  for (const field of kFields) {
    const value = asked[field].trim();
    if (value === '') continue;
    body[field] = field === 'labels' || field === 'args' ? pairs(value) : value;
  }
  return body;
}

// "3 of 4 pass" and what the others do.
export function checkSentence(items: {condition: string; outcome: string}[], words: (outcome: string) => string): string {
  const passing = items.filter(({outcome}) => outcome === 'pass').length;
  if (items.length === 0) return 'There is nothing to evaluate.';
  if (passing === items.length) return items.length === 1 ? `${items[0]?.condition} passes now.` : `All ${items.length} conditions pass now.`;
  const others = items.filter(({outcome}) => outcome !== 'pass').map(({condition, outcome}) => `${condition}: ${words(outcome)}`);
  return `${passing} of ${items.length} ${passing === 1 ? 'passes' : 'pass'} now; ${others.join('; ')}.`;
}
