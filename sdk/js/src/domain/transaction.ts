import { concat, fromHex, type Hex } from './bytes.js'
import { keccak256 } from './canonical.js'

/** A transaction that is not signed. Wei and gas are integers. */
export interface Transaction {
  readonly chainId: number
  readonly nonce: number
  readonly to: Hex
  readonly data: Hex
  readonly value: bigint
  readonly gas: bigint
  /** What EIP-1559 asks for; otherwise the transaction is one of EIP-155 and names a `gasPrice`. */
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
  readonly gasPrice?: bigint
}

/** Bytes, or a list of what is encoded (RLP). */
type Rlp = Uint8Array | readonly Rlp[]

/** Return the 32 bytes that the sender's key signs. */
export function transactionDigest(transaction: Transaction): Uint8Array {
  const chain = [number(transaction.chainId), number(0), number(0)]
  return keccak256(isModern(transaction) ? modern(transaction) : encode([...legacy(transaction), ...chain]))
}

/**
 * Return the bytes that are sent.
 *
 * @param signature - 65 bytes r ‖ s ‖ v of {@link transactionDigest}
 */
export function signedTransaction(transaction: Transaction, signature: Uint8Array): Uint8Array {
  const parity = ((signature[64] ?? 0) + 1) % 2
  const halves = [trimmed(signature.subarray(0, 32)), trimmed(signature.subarray(32, 64))]
  if (isModern(transaction)) return modern(transaction, [number(parity), ...halves])
  return encode([...legacy(transaction), number(transaction.chainId * 2 + 35 + parity), ...halves])
}

function isModern(transaction: Transaction): boolean {
  return transaction.gasPrice === undefined
}

function modern(transaction: Transaction, signature: readonly Rlp[] = []): Uint8Array {
  const { chainId, nonce, maxPriorityFeePerGas = 0n, maxFeePerGas = 0n, gas } = transaction
  const fees = [chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gas].map(number)
  return concat(Uint8Array.of(2), encode([...fees, ...payload(transaction), [], ...signature]))
}

function legacy(transaction: Transaction): Rlp[] {
  const { nonce, gasPrice = 0n, gas } = transaction
  return [...[nonce, gasPrice, gas].map(number), ...payload(transaction)]
}

function payload(transaction: Transaction): Rlp[] {
  return [fromHex(transaction.to), number(transaction.value), fromHex(transaction.data)]
}

function number(value: bigint | number): Uint8Array {
  const digits = value.toString(16)
  return trimmed(fromHex(digits.length % 2 ? `0${digits}` : digits))
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex(byte => byte !== 0)
  return first < 0 ? new Uint8Array() : bytes.subarray(first)
}

function encode(item: Rlp): Uint8Array {
  if (item instanceof Uint8Array) {
    return item.length === 1 && (item[0] ?? 0) < 0x80 ? item : concat(prefix(0x80, item.length), item)
  }
  const content = concat(...item.map(encode))
  return concat(prefix(0xc0, content.length), content)
}

function prefix(offset: number, length: number): Uint8Array {
  if (length < 56) return Uint8Array.of(offset + length)
  const size = number(length)
  return concat(Uint8Array.of(offset + 55 + size.length), size)
}
