// A merged analysis as rows of name, value and source, and as a sentence. Pure.
import type {Json, JsonObject, Policy, Texts} from '../api';
import {count, list, number} from '../format';

export interface Setting {
  name: string;
  value: string;
  source: string; // "default", "defaults rollwatch.toml:12", "policy http conf.d/http.toml:40"
}

export interface PlannedStep {
  weight: string; // "5 %", or "all at once" for `duration`
  hold: string;
  approve: boolean;
  source: string;
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

// The source of the value at a pointer: its own, or that of the nearest table around it that has one.
export function sourceOf(sources: Texts, pointer: string): string {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const source = sources[at];
    if (source !== undefined) return source;
  }
  return '';
}

export function shown(value: Json): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.map(shown).join(', ');
  if (isObject(value)) return Object.entries(value).map(([key, each]) => `${key} = ${shown(each)}`).join(', ');
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

// The settings of one table; those of a table within it are named "ready.timeout". `skip`: what is shown elsewhere.
export function settings(table: JsonObject, sources: Texts, prefix = '', skip: string[] = []): Setting[] {
  return Object.entries(table).flatMap(([key, value]) => {
    if (skip.includes(key)) return [];
    const pointer = `${prefix}/${escaped(key)}`;
    if (isObject(value)) {
      return settings(value, sources, pointer).map((inner) => ({...inner, name: `${key}.${inner.name}`}));
    }
    return [{name: key, value: shown(value), source: sourceOf(sources, pointer)}];
  });
}

export function conditionsOf(analysis: JsonObject): JsonObject[] {
  const conditions = analysis.condition;
  return Array.isArray(conditions) ? conditions.filter(isObject) : [];
}

export function stepsOf(analysis: JsonObject, sources: Texts): PlannedStep[] {
  const steps = analysis.steps;
  if (Array.isArray(steps)) {
    return steps.filter(isObject).map((step, index) => ({
      weight: typeof step.weight === 'number' ? `${number(step.weight)} %` : shown(step.weight ?? null),
      hold: typeof step.hold === 'string' ? step.hold : '0s',
      approve: step.approve === true,
      source: sourceOf(sources, `/steps/${index}/weight`),
    }));
  }
  if (typeof analysis.duration === 'string') {
    return [{weight: 'all at once', hold: analysis.duration, approve: false, source: sourceOf(sources, '/duration')}];
  }
  const ramp = analysis.ramp;
  if (isObject(ramp)) {
    return [{weight: `${shown(ramp.from ?? null)} % to ${shown(ramp.to ?? 100)} % by ${shown(ramp.by ?? null)}`, hold: shown(ramp.every ?? null), approve: false, source: sourceOf(sources, '/ramp')}];
  }
  return [];
}

const nameOf = (condition: JsonObject): string => (typeof condition.name === 'string' ? condition.name : '');

// "http goes to 100 % in 2 steps (5 % for 2m, 25 % for 5m); it is rolled back when error-rate fails."
export function policySentence({name, analysis, analysis_sources: sources}: Policy): string {
  const steps = stepsOf(analysis, sources).filter(({weight}) => weight !== '100 %');
  const conditions = conditionsOf(analysis);
  const way =
    steps.length === 0
      ? `${name} is a part, to be registered together with a policy that has steps`
      : typeof analysis.duration === 'string'
        ? `${name} watches for ${analysis.duration}, without weights`
        : `${name} goes to 100 % in ${count(steps.length, 'step')} (${steps.map(({weight, hold}) => `${weight} for ${hold}`).join(', ')})`;
  const by = (what: string) => conditions.filter(({on_fail}) => on_fail === what).map(nameOf);
  const then: string[] = [];
  const follows: [string, string][] = [['rollback', 'is rolled back'], ['pause', 'is paused']];
  for (const [key, words] of follows) {
    const names = by(key);
    if (names.length > 0) then.push(`${words} when ${names.length > 4 ? `one of ${names.length} conditions` : names.join(' or ')} ${names.length > 1 && names.length <= 4 ? 'fail' : 'fails'}`);
  }
  if (by('observe').length > 0) then.push(`${list(by('observe'))} ${by('observe').length > 1 ? 'are' : 'is'} only observed`);
  return `${way}${then.length > 0 ? `; it ${then[0]}${then.slice(1).map((each) => `, ${each}`).join('')}` : ''}.`;
}
