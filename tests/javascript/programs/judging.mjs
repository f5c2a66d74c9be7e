import { readFileSync } from 'node:fs'
import { readDdo } from 'insitu/domain'
import { validateDdo } from 'insitu/rules'

/** Pointer and code of each problem, or the one pointer where the document cannot be read at all. */
function judged({ document, isNew }) {
  let ddo
  try {
    ddo = readDdo(document)
  } catch (error) {
    return { unreadable: error.pointer }
  }
  try {
    validateDdo(ddo, { isNew })
  } catch (error) {
    return { code: error.code, pointer: error.pointer, problems: error.problems.map(one => [one.pointer, one.code]) }
  }
  return {}
}

console.log(JSON.stringify(JSON.parse(readFileSync('documents.json', 'utf8')).map(judged)))
