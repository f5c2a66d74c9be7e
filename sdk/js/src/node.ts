import { readFile } from 'node:fs/promises'
import * as errors from './api/errors.gen.js'
import { readJson } from './domain/json-text.js'
import { InsituError } from './errors.js'
import { unlockKey } from './keystore.js'
import type { LocalKey } from './wallets.js'

export { unlockKey } from './keystore.js'

/**
 * Open a key file of this machine (Web3 Secret Storage, version 3).
 *
 * @throws InsituError `KeyNotFound`, `KeyInvalid`, `KeyPasswordWrong`
 */
export async function openKeyFile(path: string, password: string): Promise<LocalKey> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new InsituError(errors.KeyNotFound, `${path} cannot be read`, { cause })
  })
  return unlockKey(readKeyJson(text), password)
}

function readKeyJson(text: string) {
  try {
    return readJson(text)
  } catch (cause) {
    throw new InsituError(errors.KeyInvalid, 'the file is not JSON', { cause })
  }
}
