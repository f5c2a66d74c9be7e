import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDdo } from '../../src/domain/index.js'
import { isInsituError, type Violation } from '../../src/errors.js'
import { validateDdo, validateWorkflow } from '../../src/rules.js'
import { type Case, patched, vector } from './vector.js'

const { bases, accepted, refused } = vector('document-rules', 'bases', 'accepted', 'refused')

function judge({ base, patch, withoutCompute, new: isNew, planned }: Case): void {
  const document = patched(bases[base], patch)
  if (planned) validateWorkflow(document.service[0].attributes.main.workflow, '/workflow', true)
  else validateDdo(readDdo(document), { withoutCompute, isNew })
}

for (const each of accepted) test(`accepted: ${each.name}`, () => judge(each))

for (const each of refused) {
  test(`refused: ${each.name}`, () => {
    assert.throws(
      () => judge(each),
      (error: unknown) => {
        assert.ok(isInsituError(error), String(error))
        assert.deepEqual([error.code, error.pointer], [each.code, each.pointer], error.message)
        assert.deepEqual(placesOf(error.problems), each.problems)
        return true
      },
    )
  })
}

test('a document with more problems than are named is refused all the same', () => {
  const [file, main] = [{ index: 0 }, '/service/1/attributes/main']
  const patch = [
    { op: 'replace', path: '/service/0/attributes/main/files', value: [file], repeated: 101 },
    { op: 'replace', path: `${main}/provider`, value: 5 },
  ]
  assert.throws(
    () => judge({ base: 'dataset', patch, new: true }),
    (error: unknown) => isInsituError(error) && error.problems.length === 100,
  )
})

/** Pointer and code of each problem, each once, sorted as code points are. */
function placesOf(problems: readonly Violation[]): (readonly string[])[] {
  const places = problems.map(({ pointer, code }) => JSON.stringify([pointer, code]))
  return [...new Set(places)].sort().map(place => JSON.parse(place))
}
