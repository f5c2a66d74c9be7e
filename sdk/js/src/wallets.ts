import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { getPublicKey, hashes, sign, utils } from '@noble/secp256k1'
import * as errors from './api/errors.gen.js'
import { concat, fromHex, type Hex, toHex, utf8 } from './domain/bytes.js'
import { type Address, readAddress } from './domain/ids.js'
import { accountSignature, addressOfKey, personalDigest } from './domain/signatures.js'
import { signedTransaction, type Transaction, transactionDigest } from './domain/transaction.js'
import { type TypedData, typedDataDigest, typedDataText } from './domain/typed-data.js'
import { InsituError } from './errors.js'
import type { Account, WalletTransaction } from './sdk/account.js'
import type { WalletProvider } from './sdk/chain-reader.js'
import { askWallet, requireUnchanged } from './sdk/wallet-requests.js'

export { discoverWallets, type PageProvider, type Wallet, watchWallets } from './sdk/page-wallets.js'
export { askWallet, type ChainToUse, untilChanged, useChain } from './sdk/wallet-requests.js'

/** An account that can sign. Signatures have 65 bytes r ‖ s ‖ v, with v 27 or 28. */
export interface LocalKey {
  readonly address: Address
  signDigest(digest: Uint8Array): Uint8Array
  /** Sign a text as a wallet does (personal_sign). */
  signText(text: string): Uint8Array
  /** Sign typed data as a wallet does (EIP-712). */
  signTypedData(data: TypedData): Uint8Array
  /** Return the bytes of a signed transaction. */
  signTransaction(transaction: Transaction): Uint8Array
}

/**
 * Return the account of a private key. The key stays in the memory of this program, which JavaScript cannot wipe.
 *
 * @param key - 32 bytes, or their hexadecimal digits
 * @throws InsituError `KeyInvalid` if no account has such a key; the error does not show it
 */
export function localKey(key: Uint8Array | string): LocalKey {
  const secret = readKey(key)
  const signDigest = (digest: Uint8Array): Uint8Array => {
    // The library signs with whatever hash it is given; set here, so that importing it changes nothing.
    hashes.sha256 = sha256
    hashes.hmacSha256 = (secretKey, message) => hmac(sha256, secretKey, message)
    const recovered = sign(digest, secret, { prehash: false, format: 'recovered' })
    return concat(recovered.subarray(1), Uint8Array.of(27 + (recovered[0] ?? 0)))
  }
  return Object.freeze({
    address: addressOfKey(getPublicKey(secret)),
    signDigest,
    signText: (text: string) => signDigest(personalDigest(text)),
    signTypedData: (data: TypedData) => signDigest(typedDataDigest(data)),
    signTransaction: (transaction: Transaction) =>
      signedTransaction(transaction, signDigest(transactionDigest(transaction))),
  })
}

function readKey(key: Uint8Array | string): Uint8Array {
  const isText = typeof key === 'string'
  const secret = !isText ? key.slice() : /^(?:0x)?[0-9a-fA-F]{64}$/.test(key) ? fromHex(key) : new Uint8Array()
  if (!utils.isValidSecretKey(secret)) {
    throw new InsituError(
      errors.KeyInvalid,
      'a private key has 64 hexadecimal digits and is below the order of the curve',
    )
  }
  return secret
}

/**
 * Return an account of a wallet that asks a person (EIP-1193), such as one of `discoverWallets`.
 *
 * Before each prompt the wallet must still have the account, and be on the chain that the data is for.
 *
 * @param provider - the wallet's connection
 * @param address - one of its accounts, by default the one that it offers first
 * @throws InsituError what `askWallet` throws, also later when something is to be signed
 */
export async function walletAccount(provider: WalletProvider, address?: Address): Promise<Account> {
  const account = readAddress(address ?? first(await askWallet(provider, 'eth_requestAccounts')))
  const sign = async (chainId: number | undefined, method: string, ...params: readonly unknown[]) => {
    await requireUnchanged(provider, account, chainId)
    return accountSignature(String(await askWallet(provider, method, params)) as Hex)
  }
  return Object.freeze({
    address: account,
    signTypedData: (data: TypedData) => sign(data.domain.chainId, 'eth_signTypedData_v4', account, typedDataText(data)),
    signText: (text: string) => sign(undefined, 'personal_sign', toHex(utf8(text)), account),
    sendTransaction: async ({ chainId, to, data }: WalletTransaction) => {
      await requireUnchanged(provider, account, chainId)
      const transaction = { from: account, to, data, chainId: `0x${chainId.toString(16)}` }
      return String(await askWallet(provider, 'eth_sendTransaction', [transaction]))
    },
  })
}

function first(accounts: unknown): string {
  return Array.isArray(accounts) ? String(accounts[0]) : ''
}
