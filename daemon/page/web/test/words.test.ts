import assert from 'node:assert/strict';
import test from 'node:test';
import {kDeliveries, kOutcomes, kStates, kVerdicts, wordOf, type Word} from '../src/words';

// Never by colour alone: within a list, what differs in meaning differs in shape or at least in its word.
test('every word of a list is said by a text of its own', () => {
  for (const words of [kStates, kVerdicts, kOutcomes, kDeliveries] as Record<string, Word>[]) {
    const texts = Object.values(words).map(({text}) => text);
    assert.equal(new Set(texts).size, texts.length);
  }
});

test('outcomes are told apart by their shape, for they stand without a word in strips', () => {
  const shapes = Object.values(kOutcomes).map(({shape}) => shape);
  assert.equal(new Set(shapes).size, shapes.length);
});

test('a word of a newer daemon is shown as it is', () => {
  assert.equal(wordOf(kStates, 'being_examined').text, 'being examined');
  assert.equal(wordOf(kStates, 'rolled_back').text, 'rolled back');
});
