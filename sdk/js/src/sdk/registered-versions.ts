import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import type { ChainReader, DidRecord, Registration } from './chain-reader.js'

/** The most versions that a walk goes back. */
const MOST_VERSIONS = 1000

/**
 * Yield the registrations of an asset from the current version back, as each names the block of the one before.
 *
 * @throws InsituError `ChainUnavailable` if the node does not have one of them
 */
export async function* registeredVersions(
  chain: ChainReader,
  record: DidRecord,
  signal?: AbortSignal,
): AsyncGenerator<Registration, void, undefined> {
  let found: Registration | undefined = record
  for (let count = 0; count < MOST_VERSIONS && found !== undefined; count += 1) {
    yield found
    const { did, version, previousBlock }: Registration = found
    if (version === 1) return
    found = await chain.registration(did, version - 1, previousBlock, signal)
    if (found !== undefined) continue
    throw new InsituError(errors.ChainUnavailable, `the node has no version ${version - 1} of ${did}`)
  }
}
