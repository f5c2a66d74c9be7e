/** Every static check of this package: types, lint and format, sizes, its reference, and what npm would publish. Exits 1 if one fails. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const failed = []

function run(name, ...command) {
  const { status, stdout, stderr } = spawnSync('npx', ['--no-install', ...command], { cwd: ROOT, encoding: 'utf8' })
  if (status === 0) return
  failed.push(name)
  console.log(`${name} failed:\n${stdout}${stderr}`)
}

/** What the package itself loads only when it is needed is no part of what a page loads first. */
const LOADED_LATER = {
  name: 'loaded later',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
}

function runScript(name, script, ...options) {
  const { status, stdout, stderr } = spawnSync('node', [`scripts/${script}`, ...options], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (status === 0) return
  failed.push(name)
  console.log(`${name} failed:\n${stdout}${stderr}`)
}

/** Bundle code that imports the package by name, as a page would; a module of Node in it is an error. */
async function gzipped(code) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: ROOT },
    ...{ bundle: true, minify: true, format: 'esm', target: 'es2022', platform: 'browser' },
    ...{ write: false, logLevel: 'silent', plugins: [LOADED_LATER] },
  })
  return gzipSync(outputFiles[0].contents, { level: 9 }).length
}

async function checkSizes() {
  const { limits, peers } = JSON.parse(readFileSync(`${ROOT}/sizes.json`, 'utf8'))
  const kilobytes = bytes => `${(bytes / 1000).toFixed(1).padStart(6)} kB`
  for (const [name, { code, beside, most }] of Object.entries(limits)) {
    // What only works beside something else is measured by what it adds.
    const size = beside ? (await gzipped(`${beside}; ${code}`)) - (await gzipped(beside)) : await gzipped(code)
    console.log(`${kilobytes(size)} of ${kilobytes(most)}  ${name}`)
    if (size > most) failed.push(`the size of ${name}`)
  }
  for (const [name, size] of Object.entries(peers)) console.log(`${kilobytes(size)}               ${name}`)
}

run('types in browsers', 'tsc', '-p', 'tsconfig.json')
run('build', 'tsc', '-p', 'tsconfig.build.json')
run('lint and format', 'biome', 'check', '--error-on-warnings', '.')
run('package', 'publint', '--strict')
if (!failed.includes('build')) {
  run('types of a program that uses it', 'tsc', '-p', 'tsconfig.types.json')
  runScript('types as npm would publish them', 'published.mjs')
}
runScript('reference', 'reference.mjs', '--check')
if (!failed.includes('build')) await checkSizes()
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0
