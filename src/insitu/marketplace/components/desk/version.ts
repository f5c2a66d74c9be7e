/** The window in which an owner writes the next version of an asset: differences are shown before anything is signed. */
import { type AccountClient, type CallControl, InsituError } from 'insitu'
import type { Change, Desk, ProposedVersion } from 'insitu/desk'
import {
  amountOfDisplay,
  computeServiceOf,
  type Ddo,
  displayAmount,
  isObject,
  type Json,
  type JsonObject,
  mainOf,
  readJson,
} from 'insitu/domain'
import { ask, type Question } from '../../elements/dialog.js'
import type { Token } from '../../elements/site.js'
import { type Filled, versionView } from './version-view.js'

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
 * @throws DOMException `AbortError` if they close the window; InsituError what `Desk.update` throws, `VersionMismatch` if
 * what would be signed is not what was shown
 */
export async function changeVersion(
  client: AccountClient,
  desk: Desk,
  did: string,
  control: CallControl,
): Promise<void> {
  const present = await client.assets.show(did, control.signal && { signal: control.signal })
  const { token } = await client.chainFacts({ signal: control.signal })
  const wanted = await ask<Wanted>(
    'New version',
    question => {
      edit(question, present.ddo, token, (metadata, services) => desk.propose(present, metadata, services))
      return undefined
    },
    control.signal,
  )
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

type Propose = (metadata: JsonObject, services: readonly JsonObject[]) => Promise<ProposedVersion>

function edit(question: Question<Wanted>, ddo: Ddo, token: Token, propose: Propose): void {
  const before = filledOf(ddo, token)
  let filled = before
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let wanted: Wanted | undefined
  const show = (changes: readonly Change[], error?: unknown) =>
    question.show(...versionView({ before, filled, changes, error, token }, act))
  const judge = async (mine: number) => {
    try {
      const asked = wantedOf(ddo, before, filled, token)
      const { changes } = await propose(asked.metadata, asked.services)
      if (mine !== turn) return
      wanted = changes.length === 0 ? undefined : { ...asked, changes: JSON.stringify(changes) }
      show(changes)
    } catch (error) {
      if (mine === turn) show([], error)
    }
  }
  const act = {
    change: (change: Partial<Filled>) => {
      filled = { ...filled, ...change }
      wanted = undefined
      turn += 1
      clearTimeout(timer)
      timer = setTimeout(() => void judge(turn), CALM)
    },
    sign: () => wanted !== undefined && question.answer(wanted),
    close: () => question.fail(new DOMException('closed', 'AbortError')),
  }
  show([])
}

/** Return the fields as the present document fills them. */
export function filledOf(ddo: Ddo, token: Token): Filled {
  const compute = computeOf(ddo)
  const described = ddo.service.find(({ type }) => type === 'metadata')?.attributes?.additionalInformation
  const about = isObject(described as Json) ? (described as JsonObject)['description'] : ''
  return {
    title: String(mainOf(ddo)['name'] ?? ''),
    description: typeof about === 'string' ? about : '',
    price: displayAmount(BigInt(String((compute ?? mainOf(ddo))['price'] ?? '0')), token.decimals).replaceAll(',', ''),
    rules: compute && JSON.stringify(compute['policy'] ?? {}, null, 2),
  }
}

function wantedOf(ddo: Ddo, before: Filled, filled: Filled, token: Token): Omit<Wanted, 'changes'> {
  const price = filled.price === before.price ? undefined : String(amountOfDisplay(filled.price.trim(), token.decimals))
  const compute = computeOf(ddo)
  const main: JsonObject = {
    ...(filled.title !== before.title && { name: filled.title }),
    ...(price !== undefined && compute === undefined && { price }),
  }
  const metadata: JsonObject = {
    main,
    ...(filled.description !== before.description && { additionalInformation: { description: filled.description } }),
  }
  const policy = filled.rules === before.rules || filled.rules === undefined ? undefined : rulesOf(filled.rules)
  const offer: JsonObject = {
    ...(price !== undefined && { price }),
    ...(policy && { policy: patchOf(compute?.['policy'], policy) }),
  }
  const isOffered = compute !== undefined && Object.keys(offer).length > 0
  return { metadata, services: isOffered ? [{ type: 'compute', attributes: { main: offer } }] : [] }
}

function rulesOf(text: string): JsonObject {
  const rules = readJson(text)
  if (isObject(rules)) return rules
  throw new InsituError('InvalidDocument', 'the rules are an object of JSON, in braces', {
    nextStep: 'Correct the rules.',
  })
}

/** Return the merge patch from one value to another: what is not there any more becomes null (RFC 7396). */
function patchOf(before: Json | undefined, after: Json): Json {
  if (!isObject(before) || !isObject(after)) return after
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return Object.fromEntries(
    names.map(name => [name, after[name] === undefined ? null : patchOf(before[name], after[name])]),
  )
}

function computeOf(ddo: Ddo): JsonObject | undefined {
  const found = ddo.service.some(({ type }) => type === 'compute')
    ? computeServiceOf(ddo).json['attributes']
    : undefined
  const main = isObject(found) ? found['main'] : undefined
  return isObject(main) ? main : undefined
}
