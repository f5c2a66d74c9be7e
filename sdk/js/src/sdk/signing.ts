import { type Hex, toHex } from '../domain/bytes.js'
import { sameAddress } from '../domain/ids.js'
import { signerOf } from '../domain/signatures.js'
import { type TypedData, typedDataDigest } from '../domain/typed-data.js'
import { type Account, abortable, type CallControl, type Progress, signedBySomebodyElse } from './account.js'
import type { AgreementChain } from './agreement-chain.js'

/**
 * Let an account sign typed data, and make sure that it did.
 *
 * @param progress - what a person reads before the wallet asks
 * @throws InsituError `RejectedByUser`, `SignatureMismatch` if the wallet signed with another account
 */
export async function signAs(
  { account, chain }: { readonly account: Account; readonly chain: AgreementChain },
  data: TypedData,
  progress: Progress,
  { onProgress, signal }: CallControl,
): Promise<Hex> {
  onProgress?.({ promptsLeft: 0, ...progress, asks: data })
  signal?.throwIfAborted()
  const signature = await abortable(account.signTypedData(data), signal)
  const signer = signerOf(typedDataDigest(data), signature)
  const isOurs = signer !== undefined && sameAddress(signer, account.address)
  // Only a contract account may sign in a form of its own.
  if (!isOurs && (await chain.code(account.address, signal)) === '0x') signedBySomebodyElse(account.address, signer)
  return toHex(signature)
}
