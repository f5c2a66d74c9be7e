/** The window in which an owner writes the next version of an asset: differences are shown before anything is signed. */
import { type AccountClient, type CallControl, InsituError, isInsituError } from 'insitu'
import type { Change, Desk, ProposedVersion } from 'insitu/desk'
import type { JsonObject } from 'insitu/domain'
import { ask, type Question } from '../../elements/dialog.js'
import { fieldOf, neededVersions, offeredAt } from '../publication/draft.js'
import { askedOf, computeOf, presentOf } from '../publication/present.js'
import type { PublicationState } from '../publication/state.js'
import { versionView } from './version-view.js'

/** Milliseconds without a key after which what was filled in is judged. */
const CALM = 300

/** What a version changes, as `Desk.update` takes it. */
interface Wanted {
  readonly metadata: JsonObject
  readonly services: readonly JsonObject[]
  readonly changes: string
}

/**
 * Let a person change an asset, show the differences, and publish them with one signature.
 *
 * @param client - that of the gateway which serves the asset
 * @throws DOMException `AbortError` if they close the window; InsituError what `Desk.update` throws, `VersionMismatch` if
 * what would be signed is not what was shown
 */
export async function changeVersion(
  client: AccountClient,
  desk: Desk,
  did: string,
  control: CallControl,
): Promise<void> {
  const { signal } = control
  const present = await client.assets.show(did, signal && { signal })
  const { token } = await client.chainFacts({ signal })
  const offered = await offeredAt(client, signal).catch(() => ({ images: [], servers: [] }))
  signal?.throwIfAborted()
  const before = presentOf(present.ddo, token, offered)
  const found: Record<string, string> = {}
  const propose = async (after: PublicationState) => {
    for (const named of neededVersions(after)) {
      found[named] ??= (await client.parts.registry.findRecord(named, signal))?.checksum.replace(/^0x/, '') ?? ''
    }
    const asked = askedOf(present.ddo, before, after, found)
    if (Object.keys(asked.problems).length > 0) return { ...asked, changes: [] }
    return { ...asked, changes: (await desk.propose(present, asked.metadata, asked.services)).changes }
  }
  const isOffer = computeOf(present.ddo) !== undefined
  const wanted = await ask<Wanted>('New version', question => edit(question, before, isOffer, propose), signal)
  const confirm = ({ changes }: ProposedVersion) => {
    if (JSON.stringify(changes) === wanted.changes) return
    throw new InsituError(
      'VersionMismatch',
      'the asset changed meanwhile, so this would be another version than the one shown',
      {
        nextStep: 'Open it again, and look at the differences.',
      },
    )
  }
  await desk.update(did, wanted.metadata, wanted.services, { ...control, confirm })
}

type Propose = (
  after: PublicationState,
) => Promise<Omit<Wanted, 'changes'> & Pick<PublicationState, 'problems'> & { readonly changes: readonly Change[] }>

function edit(question: Question<Wanted>, before: PublicationState, isOffer: boolean, propose: Propose) {
  let form = before
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let wanted: Wanted | undefined
  const show = (changes: readonly Change[], error?: unknown) =>
    question.show(...versionView({ name: before.values['name'] ?? '', form, isOffer, changes, error }, act))
  const judge = async (mine: number) => {
    try {
      const { metadata, services, changes, problems } = await propose(form)
      if (mine !== turn) return
      wanted = changes.length === 0 ? undefined : { metadata, services, changes: JSON.stringify(changes) }
      form = { ...form, problems }
      show(changes)
    } catch (error) {
      if (mine !== turn) return
      const found = isInsituError(error) && error.problems.length > 0 ? error.problems : [error as { pointer?: string }]
      const said = found.map(({ pointer }) => [fieldOf(pointer), 'Does not fit the rules of documents, see below.'])
      form = { ...form, problems: Object.fromEntries(said) }
      show([], error)
    }
  }
  const act = {
    set: (field: string, value: string) => {
      form = { ...form, values: { ...form.values, [field]: value } }
      wanted = undefined
      turn += 1
      clearTimeout(timer)
      timer = setTimeout(() => void judge(turn), CALM)
      show([])
    },
    chooseScripts: () => undefined,
    sign: () => wanted !== undefined && question.answer(wanted),
    close: () => question.fail(new DOMException('closed', 'AbortError')),
  }
  show([])
  return () => clearTimeout(timer)
}
