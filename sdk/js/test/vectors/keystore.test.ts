import assert from 'node:assert/strict'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isInsituError } from '../../src/errors.js'
import { openKeyFile } from '../../src/node.js'
import { localKey } from '../../src/wallets.js'
import { type Case, vector } from './vector.js'

const { opened, refused } = vector('keystore', 'opened', 'refused')

async function stored(file: Case): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'insitu-')), 'key.json')
  await writeFile(path, JSON.stringify(file), { mode: 0o600 })
  return path
}

for (const { name, password, key, address, file } of opened) {
  test(`opened: ${name}`, async () => {
    const signer = await openKeyFile(await stored(file), password)
    assert.equal(signer.address, address)
    assert.deepEqual(signer.signText('x'), localKey(key).signText('x'))
  })
}

for (const { name, password, code, file } of refused) {
  test(`refused: ${name}`, async () => {
    const path = await stored(file)
    await assert.rejects(openKeyFile(path, password), (error: unknown) => {
      assert.ok(isInsituError(error) && !error.message.includes(password))
      assert.equal(error.code, code)
      return true
    })
  })
}

test('a file that is not there, or not JSON, is refused', async () => {
  await assert.rejects(openKeyFile('/nowhere/key.json', 'x'), { code: 'KeyNotFound' })
  const path = await stored(null)
  await writeFile(path, 'no')
  await assert.rejects(openKeyFile(path, 'x'), { code: 'KeyInvalid' })
})
