import { ENTRYPOINT_SCRIPT, splitEntrypoint } from './algorithm.js'
import { lengthOf } from './bytes.js'
import type { Json } from './canonical.js'
import type { Checker } from './checker.js'
import { container } from './compute-service.js'
import { firstCollision, pathProblem } from './file-names.js'
import { index, type Service, sha256Of } from './service.js'
import {
  anything,
  documentAmount,
  integer,
  list,
  object,
  optional,
  type Place,
  type Read,
  readAs,
  text,
  withDefault,
} from './shape.js'
import { isDocumentTime } from './timestamps.js'
import { MOST_STAGES, workflow } from './workflow.js'
import { checkWorkflow } from './workflow-rules.js'

const MOST_FILES = 10_000
const LONGEST_NAME = 500

/** What is said about a time that is none. */
export const TIME_NEEDED = 'a time like 2019-04-09T19:02:11Z is needed'

const FILE = /* @__PURE__ */ (() => {
  const length = (value: Json | undefined, place: Place) =>
    typeof value === 'string' ? value : integer(Number.MIN_SAFE_INTEGER)(value, place)
  return object({
    index: optional(index),
    name: optional(text),
    url: optional(text),
    contentType: optional(text),
    contentLength: optional(length),
    checksum: optional(text),
    checksumType: optional(text),
    encoding: optional(text),
    compression: optional(text),
  })
})()

const ASSET = /* @__PURE__ */ (() =>
  object({
    name: optional(text),
    type: optional(text),
    dateCreated: optional(text),
    datePublished: optional(text),
    author: optional(text),
    license: optional(text),
    price: withDefault(documentAmount, 0n),
    files: withDefault(list(FILE), []),
    workflow: anything,
  }))()

const ALGORITHM = /* @__PURE__ */ (() => {
  const requirements = object({ container: optional(container) })
  const algorithm = object({
    language: optional(text),
    format: optional(text),
    version: optional(text),
    entrypoint: optional(text),
    requirements: withDefault(requirements, { container: undefined }),
  })
  return object({ algorithm: withDefault(algorithm, readAs(algorithm, {})) })
})()

type Asset = Read<typeof ASSET>
type File = Asset['files'][number]

/** Return the files that `main` of an asset lists; none if it cannot be read. */
export function filesOf(main: Service['main']): readonly File[] {
  return readAs(ASSET, main).files
}

/** Check a service of type metadata. `checker` stands at its entry in the document. */
export function checkMetadata(entry: Service, checker: Checker): void {
  const main = checker.at('attributes', 'main')
  const asset = main.read(ASSET, entry.main)
  if (asset === undefined) return
  checkCommon(asset, entry, main)
  checkFiles(asset.files, main.at('files'))
  if (asset.type === 'algorithm') checkAlgorithm(entry, asset, main)
  if (asset.type === 'workflow') checkWorkflowAsset(asset, main.at('workflow'))
}

function checkCommon(asset: Asset, { main }: Service, checker: Checker): void {
  for (const name of ['name', 'type', 'author'] as const) {
    const isShort = lengthOf(asset[name] ?? '') <= LONGEST_NAME
    checker.at(name).require(isShort, 'TooLong', `at most ${LONGEST_NAME} characters`)
  }
  checker.at('name').require(!!asset.name, 'Required', 'an asset needs a name')
  checker.at('type').require(asset.type !== undefined, 'Required', 'an asset needs a type, for instance dataset')
  checker.at('author').require(asset.author !== undefined, 'Required', 'an asset has an author')
  checker.at('license').require(asset.license !== undefined, 'Required', "a license, or 'No License Specified'")
  checker.at('price').require('price' in main, 'Required', 'an asset has a price, even if it is 0')
  checker.at('files').require('files' in main, 'Required', 'the list of files, which may be empty')
  checker.at('dateCreated').require(isDocumentTime(asset.dateCreated), 'WrongFormat', TIME_NEEDED)
  checkTime(asset.datePublished, checker.at('datePublished'))
}

/** Check a time that may be absent. */
export function checkTime(time: string | undefined, checker: Checker): void {
  checker.require(time === undefined || isDocumentTime(time), 'WrongFormat', TIME_NEEDED)
}

function checkFiles(files: readonly File[], checker: Checker): void {
  if (!checker.require(files.length <= MOST_FILES, 'TooMany', `at most ${MOST_FILES} files`)) return
  const seen = new Set<number>()
  files.forEach((file, position) => {
    const at = checker.at(position)
    if (at.at('index').require(file.index !== undefined, 'Required', 'a file needs an index')) {
      at.at('index').require(!seen.has(file.index ?? 0), 'Duplicate', 'two files have this index')
      seen.add(file.index ?? 0)
    }
    at.at('url').require(file.url === undefined, 'UrlNotAllowed', 'URLs belong in encryptedFiles, never in main')
    at.at('contentType').require(!!file.contentType, 'Required', 'a media type is needed')
    const problem = file.name === undefined ? undefined : pathProblem(file.name)
    at.at('name').require(problem === undefined, 'UnsafeName', `the name ${problem}`)
    const isHash = file.checksum === undefined || sha256Of(file.checksum) !== undefined
    at.at('checksum').require(isHash, 'WrongFormat', 'a SHA-256: 64 hex digits')
  })
  const collision = firstCollision(files.flatMap(file => file.name ?? []))
  checker.require(collision === undefined, 'Duplicate', 'two files have the same name, or would on some system')
}

function checkAlgorithm({ main }: Service, { files }: Asset, checker: Checker): void {
  const read = checker.read(ALGORITHM, main)
  if (read === undefined) return
  checker.at('files').require(files.length > 0, 'Required', 'an algorithm has at least one file')
  files.slice(0, MOST_FILES).forEach((file, position) => {
    const isHashed = sha256Of(file.checksum) !== undefined
    checker.at('files', position, 'checksum').require(isHashed, 'Required', 'every file of an algorithm has a SHA-256')
  })
  const entrypoint = checker.at('algorithm', 'entrypoint')
  const words = entrypoint.attempt(() => splitEntrypoint(read.algorithm.entrypoint ?? ''), 'WrongFormat')
  // A file without a public name may be the script. Only the sealed list knows, so this shows at the run.
  const hasScript = files.some(file => file.name === undefined || file.name === ENTRYPOINT_SCRIPT)
  const isStarted = words === undefined || words.length > 0 || hasScript
  entrypoint.require(isStarted, 'Required', `an entrypoint is needed, or a file ${ENTRYPOINT_SCRIPT}`)
}

function checkWorkflowAsset(asset: Asset, checker: Checker): void {
  const described = asset.workflow ?? {}
  const stages = (described as { readonly stages?: Json }).stages
  if (Array.isArray(stages) && stages.length > MOST_STAGES) {
    checker.at('stages').report('TooManyStages', `at most ${MOST_STAGES} stages`)
    return // without reading thousands of them
  }
  const read = checker.read(workflow, described)
  if (read !== undefined) checkWorkflow(read, checker)
}
