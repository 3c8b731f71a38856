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
  const {ramp} = analysis;
  const result: PlannedStep[] = [];
  if (isObject(ramp) && Number(ramp.by) > 0) {
    const to = Number(ramp.to ?? 100);
    for (let weight = Number(ramp.from); weight <= to && weight < 100; weight += Number(ramp.by)) {
      result.push({weight: `${number(weight)} %`, hold: shown(ramp.every ?? null), approve: false, source: sourceOf(sources, '/ramp/by')});
    }
  }
  return result;
}

const nameOf = (condition: JsonObject): string => (typeof condition.name === 'string' ? condition.name : '');

const kFollows = [['rollback', 'is rolled back'], ['pause', 'is paused']] as const;

// "http goes to 100 % in 2 steps (5 % for 2m, 25 % for 5m); it is rolled back when error-rate fails."
export function policySentence({name, analysis, analysis_sources: sources}: Policy): string {
  const steps = stepsOf(analysis, sources).filter(({weight}) => weight !== '100 %');
  const conditions = conditionsOf(analysis);
  const way =
    steps.length === 0
      ? `${name} is a part, to be registered together with a policy that has steps`
      : typeof analysis.duration === 'string'
        ? `${name} watches for ${analysis.duration}, without weights`
        : `${name} goes to 100 % in ${count(steps.length, 'step')}${steps.length < 6 ? ` (${steps.map(({weight, hold}) => `${weight} for ${hold}`).join(', ')})` : ''}`;
  const then: string[] = [];
  for (const [key, words] of kFollows) {
    const names = conditions.filter(({on_fail}) => on_fail === key).map(nameOf);
    if (names.length > 0) then.push(`${words} when ${names.length > 3 ? `one of ${names.length} conditions` : names.join(' or ')} fails`);
  }
  return `${way}${then.length > 0 ? `; it ${list(then)}` : ''}.`;
}
