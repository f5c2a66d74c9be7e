/** What npm would publish, looked at as other people's compilers resolve it. Exits 1 if one of them gets wrong types. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** This package has ES modules only and names its entry points in `exports`, which the resolution of Node 10 cannot read. */
const NOT_FOR = ['node10', 'node16-cjs']

const folder = mkdtempSync(join(tmpdir(), 'insitu-'))
try {
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = spawnSync('npm', packing, { cwd: ROOT, encoding: 'utf8' })
  const [{ filename }] = JSON.parse(stdout)
  const { types, problems = [] } = await checkPackage(
    createPackageFromTarballData(new Uint8Array(readFileSync(join(folder, filename)))),
  )
  const found = problems.filter(({ resolutionKind }) => !NOT_FOR.includes(resolutionKind))
  for (const problem of found) console.log(JSON.stringify(problem))
  if (types === false || found.length > 0) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
