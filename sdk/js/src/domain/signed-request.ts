import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import type { Hex } from './bytes.js'
import { type Json, plainJson } from './canonical.js'
import { type Address, readAddress } from './ids.js'
import type { SignedRequest } from './registry-requests.js'
import { flag, integer, list, matching, object, optional, type Reader, readStrictly, refuse, text } from './shape.js'
import { MAX_SIGNATURE } from './signatures.js'

/** Items of a request, and providers of an item. */
const MOST = 16

/** Reads an address in any case; it becomes EIP-55. */
const account: Reader<Address> = (value, place) => {
  try {
    return readAddress(text(value, place))
  } catch (error) {
    return refuse(isInsituError(error) ? error.detail : 'an address is needed', place)
  }
}

const READER = /* @__PURE__ */ (() => {
  const bytes32 = matching<Hex>(/^0x[0-9a-fA-F]{64}$/, '0x and 64 hexadecimal digits')
  const url = matching(/^[\s\S]{1,2048}$/, 'a url of at most 2048 characters')
  const count = integer(0)
  const change = { did: bytes32, changes: count, deadline: count }
  const registration = object({ seed: bytes32, checksum: bytes32, providers: list(account, 0, MOST), url })
  const update = object({ did: bytes32, checksum: bytes32, url, version: count })
  return object({
    chainId: integer(1),
    registry: account,
    registrations: optional(object({ creator: account, items: list(registration, 1, MOST), deadline: count })),
    updates: optional(object({ owner: account, items: list(update, 1, MOST), deadline: count })),
    transfer: optional(object({ ...change, newOwner: account })),
    providerChange: optional(object({ ...change, provider: account, allowed: flag })),
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
