import { createWriteStream } from 'node:fs'
import { link, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as errors from './api/errors.gen.js'
import { readJson } from './domain/json-text.js'
import { InsituError } from './errors.js'
import { unlockKey } from './keystore.js'
import type { CallControl } from './sdk/account.js'
import type { Execution, ResultFile } from './sdk/execution.js'
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

/** A file that was saved. */
export interface SavedFile extends ResultFile {
  readonly path: string
}

/**
 * Save the files of a result into a new or an empty folder. Each is hashed while it flows, and is there completely or not
 * at all.
 *
 * @throws InsituError `FolderNotEmpty` before anything is fetched, `ChecksumMismatch`, what `download` throws
 */
export async function saveResult(
  execution: Execution,
  folder: string,
  control: CallControl = {},
): Promise<readonly SavedFile[]> {
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw new InsituError(errors.FolderNotEmpty, `${folder} is not empty`)
  const partial = await mkdtemp(join(folder, '.insitu-'))
  try {
    const saved: SavedFile[] = []
    for await (const { content, ...file } of execution.download(control)) {
      const [part, path] = [join(partial, String(file.index)), join(folder, file.name)]
      await pipeline(Readable.fromWeb(content as never), createWriteStream(part, { flags: 'wx' }), {
        ...(control.signal && { signal: control.signal }),
      })
      await mkdir(dirname(path), { recursive: true })
      await link(part, path)
      saved.push({ ...file, path })
    }
    return saved
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
