import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { concat, fromBase64, utf8 } from './bytes.js'
import { keccak256, plainJson } from './canonical.js'
import { type Address, readAddress, sameAddress } from './ids.js'
import { list, object, type Read, readAs, text } from './shape.js'
import { recoverAddress } from './signatures.js'

/** The type of payload that receipts have. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

const MAX_PAYLOAD = 4 * 1024 * 1024

const ENVELOPE = /* @__PURE__ */ (() =>
  object({
    payloadType: text,
    /** The base64 of the exact bytes that are signed and hashed. */
    payload: text,
    /** `keyid` is the signer's address, `sig` the base64 of 65 bytes. */
    signatures: list(object({ keyid: text, sig: text }), 1, 16),
  }))()

/** A signed payload (DSSE, v1.0.2): 65 bytes r ‖ s ‖ v over Keccak-256 of the pre-authentication encoding. */
export type Envelope = Read<typeof ENVELOPE>

/** Read an envelope from JSON. Throws `ReceiptInvalid` if it is none. */
export function readEnvelope(value: unknown): Envelope {
  try {
    return readAs(ENVELOPE, plainJson(value))
  } catch (cause) {
    if (!isInsituError(cause)) throw cause
    throw new InsituError(errors.ReceiptInvalid, 'this is not a DSSE envelope', { cause })
  }
}

/** Return the exact bytes that are signed and hashed. Throws `ReceiptInvalid` if they are not base64 or too many. */
export function payloadOf(envelope: Envelope): Uint8Array {
  if (envelope.payload.length > (MAX_PAYLOAD * 4) / 3 + 4) {
    throw new InsituError(errors.ReceiptInvalid, `the payload is larger than ${MAX_PAYLOAD} bytes`)
  }
  return decode(envelope.payload)
}

/** Return the 32 bytes that the key signs. */
export function envelopeDigest(payload: Uint8Array, payloadType = PAYLOAD_TYPE): Uint8Array {
  const type = utf8(payloadType)
  return keccak256(concat(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload))
}

/** Return the account that signed an envelope, which its keyid must name too. Throws `ReceiptInvalid`. */
export function envelopeSigner(envelope: Envelope): Address {
  const digest = envelopeDigest(payloadOf(envelope), envelope.payloadType)
  const [signature] = envelope.signatures
  if (signature === undefined) throw new InsituError(errors.ReceiptInvalid, 'the envelope is not signed')
  try {
    const signer = recoverAddress(digest, decode(signature.sig))
    if (sameAddress(signer, readAddress(signature.keyid))) return signer
    throw new InsituError(errors.ReceiptInvalid, `signed by ${signer}, not by ${signature.keyid}`)
  } catch (cause) {
    if (!isInsituError(cause)) throw cause
    throw new InsituError(errors.ReceiptInvalid, cause.detail, { cause })
  }
}

function decode(encoded: string): Uint8Array {
  const bytes = fromBase64(encoded)
  if (bytes === undefined) throw new InsituError(errors.ReceiptInvalid, 'a member of the envelope is not base64')
  return bytes
}
