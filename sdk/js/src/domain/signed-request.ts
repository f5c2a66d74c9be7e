import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import type { Hex } from './bytes.js'
import { type Json, plainJson } from './canonical.js'
import type { SignedRequest } from './registry-requests.js'
import { address, flag, integer, list, matching, object, optional, readStrictly, refuse } from './shape.js'
import { MAX_SIGNATURE } from './signatures.js'

/** Items of a request, and providers of an item. */
const MOST = 16

const READER = /* @__PURE__ */ (() => {
  const bytes32 = matching<Hex>(/^0x[0-9a-fA-F]{64}$/, '0x and 64 hexadecimal digits')
  const url = matching(/^[\s\S]{1,2048}$/, 'a url of at most 2048 characters')
  const count = integer(0)
  const change = { did: bytes32, changes: count, deadline: count }
  const registration = object({ seed: bytes32, checksum: bytes32, providers: list(address, 0, MOST), url })
  const update = object({ did: bytes32, checksum: bytes32, url, version: count })
  return object({
    chainId: integer(1),
    registry: address,
    registrations: optional(object({ creator: address, items: list(registration, 1, MOST), deadline: count })),
    updates: optional(object({ owner: address, items: list(update, 1, MOST), deadline: count })),
    transfer: optional(object({ ...change, newOwner: address })),
    providerChange: optional(object({ ...change, provider: address, allowed: flag })),
    signature: matching<Hex>(/^0x(?:[0-9a-fA-F]{2})+$/, '0x and hexadecimal digits'),
  })
})()

/**
 * Read a signed request to the registry. Unknown members are refused, so that nothing that was not signed is trusted.
 *
 * @throws InsituError `InvalidDocument` with the pointer of the whole request
 */
export function readSignedRequest(value: unknown, pointer = ''): SignedRequest {
  try {
    return read(plainJson(value))
  } catch (cause) {
    if (!isInsituError(cause)) throw cause
    throw new InsituError(errors.InvalidDocument, 'this is not a signed request to the registry', { pointer, cause })
  }
}

function read(value: Json): SignedRequest {
  const { chainId, registry, signature, ...parts } = readStrictly(READER, value)
  const given = Object.entries(parts).filter(([, part]) => part !== undefined)
  const length = (signature.length - 2) / 2
  if (given.length !== 1 || length < 65 || length > MAX_SIGNATURE) {
    return refuse('exactly one request and its signature are needed', { pointer: '' })
  }
  return { chainId, registry, signature, ...Object.fromEntries(given) } as SignedRequest
}
