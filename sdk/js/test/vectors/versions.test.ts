import { test } from 'node:test'
import {
  creatorOf,
  InsituError,
  onchainChecksum,
  readDdo,
  recoverAddress,
  requireAllowedChange,
  requireNumber,
  signedProof,
} from '../../src/domain/index.js'
import { type Case, refuses, vector } from './vector.js'

const { templates, cases } = vector('versions', 'templates', 'cases')

/** Accept a version as a catalogue does, which knows what is registered and the version before. */
function judge({ number, owner, before, document, registered }: Case): void {
  const ddo = readDdo(document)
  const creator = creatorOf(ddo)
  if (!registered.some((known: Case) => known.checksum === onchainChecksum(ddo))) {
    const { digest, signature } = signedProof(ddo)
    if (recoverAddress(digest, signature) !== (owner ?? creator)) {
      throw new InsituError(owner ? 'NotOwner' : 'SignatureMismatch', 'somebody else signed it')
    }
  }
  requireNumber(ddo, number)
  if (before !== null) requireAllowedChange(readDdo(before), ddo, templates)
}

for (const one of cases) {
  test(one.name, () => {
    if (one.code === null) judge(one)
    else refuses(() => judge(one), one.code, one.pointer)
  })
}
