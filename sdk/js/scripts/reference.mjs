/**
 * Write the reference of this package from the comments of its sources, or check that it is up to date.
 *
 * node scripts/reference.mjs            write docs/reference/javascript/*.md
 * node scripts/reference.mjs --check    fail where one differs
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = fileURLToPath(new URL('../../../docs/reference/javascript', import.meta.url))

/** The entry points, and the pages about them. Of the pure domain a page has one line for each name. */
const PAGES = {
  insitu: { source: 'index', page: 'client' },
  'insitu/publish': { source: 'publish', page: 'publish' },
  'insitu/wallets': { source: 'wallets', page: 'wallets' },
  'insitu/desk': { source: 'desk', page: 'desk' },
  'insitu/rules': { source: 'rules', page: 'rules' },
  'insitu/verify': { source: 'verify', page: 'verify' },
  'insitu/node': { source: 'node', page: 'node' },
  'insitu/domain': { source: 'domain/index', page: 'domain', isShort: true },
}

const sources = Object.values(PAGES).map(({ source }) => `${ROOT}/src/${source}.ts`)
const { config } = ts.readConfigFile(`${ROOT}/tsconfig.build.json`, ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
const program = ts.createProgram(sources, { ...options, noEmit: true, skipLibCheck: true })
const checker = program.getTypeChecker()

const textOf = parts =>
  ts
    .displayPartsToString(parts)
    .replaceAll(/\{@link ([^}]+)\}/g, '`$1`')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()

/** A comment's paragraphs and lists, with its lines joined. */
function proseOf(parts) {
  const text = ts.displayPartsToString(parts).replaceAll(/\{@link ([^}]+)\}/g, '`$1`')
  return text
    .split(/\n\s*\n/)
    .map(paragraph => paragraph.replaceAll(/\n(?![*-] )/g, ' ').trim())
    .join('\n\n')
}

const isHidden = member =>
  (member.name && ts.isPrivateIdentifier(member.name)) ||
  ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)

const firstSentence = text => (/^.*?[.;:](?=\s|$)/.exec(text.replaceAll('\n', ' '))?.[0] ?? text).replace(/[;:]$/, '.')

/** The type of a value as a declaration writes it; long ones are shortened by the compiler itself. */
const FORMAT =
  ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope |
  ts.TypeFormatFlags.WriteArrowStyleSignature

function signature(declaration) {
  const found = checker.getSignatureFromDeclaration(declaration)
  return checker.signatureToString(
    found,
    undefined,
    ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope,
  )
}

function memberLine(member) {
  const name = member.name?.getText() ?? 'new'
  const optional = member.questionToken ? '?' : ''
  if (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) return `${name}${optional}${signature(member)}`
  if (ts.isConstructorDeclaration(member)) return undefined
  const type = member.type?.getText() ?? checker.typeToString(checker.getTypeAtLocation(member), undefined, FORMAT)
  return `${name}${optional}: ${type.replaceAll(/\s*\n\s*/g, ' ').replace(/ \| undefined$/, optional ? '' : ' | undefined')}`
}

/** The members of a class or an interface: what each is, and what is said about it. */
function* membersOf(declaration) {
  for (const member of declaration.members) {
    if (isHidden(member)) continue
    const line = memberLine(member)
    const symbol = member.name && checker.getSymbolAtLocation(member.name)
    if (line === undefined) continue
    const said = symbol ? textOf(symbol.getDocumentationComment(checker)) : ''
    const throws = symbol ? tagsOf(symbol, 'throws') : []
    yield `- \`${line}\`${said ? ` – ${said}` : ''}${throws.map(text => ` Throws ${text}.`).join('')}`
  }
}

const tagsOf = (symbol, name) =>
  symbol
    .getJsDocTags(checker)
    .filter(tag => tag.name === name)
    .map(tag =>
      textOf(tag.text)
        .replace(/^InsituError /, '')
        .replace(/\.$/, ''),
    )

function* partsOf(name, symbol, declaration) {
  if (ts.isFunctionDeclaration(declaration)) yield `\`\`\`ts\n${name}${signature(declaration)}\n\`\`\``
  else if (ts.isTypeAliasDeclaration(declaration))
    yield `\`\`\`ts\ntype ${name} = ${declaration.type.getText()}\n\`\`\``
  else if (ts.isVariableDeclaration(declaration))
    yield `\`\`\`ts\nconst ${name}: ${checker.typeToString(checker.getTypeOfSymbol(symbol))}\n\`\`\``
  const prose = proseOf(symbol.getDocumentationComment(checker))
  if (prose) yield prose
  const params = symbol
    .getJsDocTags(checker)
    .filter(tag => tag.name === 'param')
    .map(tag => `- \`${textOf(tag.text).replace(/^(\S+) -? ?/, '$1` ')}`)
  if (params.length > 0) yield params.join('\n')
  for (const tag of ['returns', 'throws'])
    for (const text of tagsOf(symbol, tag)) yield `${tag === 'throws' ? 'Throws' : 'Returns'} ${text}.`
  if (declaration.members) {
    const lines = [...membersOf(declaration)]
    if (lines.length > 0) yield lines.join('\n')
  }
}

function pageOf(name, { source, isShort }) {
  const file = program.getSourceFile(`${ROOT}/src/${source}.ts`)
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(file)).map(symbol => ({
    name: symbol.name,
    symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
  }))
  const entries = exported
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .filter(({ symbol }) => symbol.declarations)
  const head = `# \`${name}\`\n\nWritten by \`sdk/js/scripts/reference.mjs\` from the sources. Begin with the [README](../../../sdk/js/README.md) of the package.`
  if (isShort) {
    const lines = entries.map(({ name, symbol }) => {
      const [declaration] = symbol.declarations
      const call = ts.isFunctionDeclaration(declaration)
        ? `(${declaration.parameters.map(one => one.name.getText()).join(', ')})`
        : ''
      return `- \`${name}${call}\` – ${firstSentence(proseOf(symbol.getDocumentationComment(checker))) || 'a type.'}`
    })
    return `${head}\n\nEvery rule as a pure function. Editors show the types and the rest of each comment.\n\n${lines.join('\n')}\n`
  }
  const sections = entries.map(({ name, symbol }) =>
    [`## \`${name}\``, ...partsOf(name, symbol, symbol.declarations[0])].join('\n\n'),
  )
  return `${head}\n\n${sections.join('\n\n')}\n`
}

const isCheck = process.argv.includes('--check')
for (const [name, entry] of Object.entries(PAGES)) {
  const path = `${FOLDER}/${entry.page}.md`
  const text = pageOf(name, entry).replaceAll('<ArrayBufferLike>', '')
  if (!isCheck) writeFileSync(path, text)
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.log(`${entry.page}.md is out of date: node scripts/reference.mjs`)
    process.exitCode = 1
  }
}
