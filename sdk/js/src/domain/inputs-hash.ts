import { type Hex, plainDigits } from './bytes.js'
import { checksum } from './canonical.js'

/** A data set in one version: its DID and the on-chain checksum of the document, 64 hexadecimal digits. */
export interface InputVersion {
  readonly did: string
  readonly checksum: string
}

/**
 * Return which versions of the inputs an agreement buys, as one hash for its terms (C3): `0x` and the SHA3-256 of the
 * canonical JSON `[[did, checksum], …]`.
 *
 * @param versions - each input once, in the order of the workflow
 */
export function inputsHash(versions: readonly InputVersion[]): Hex {
  return `0x${checksum(versions.map(version => [version.did, plainDigits(version.checksum)]))}`
}
