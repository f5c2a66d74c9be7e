const INTERPRETERS: Readonly<Record<string, string>> = {
  ...{ py: 'python3', sh: 'sh', r: 'Rscript', js: 'node' },
  ...{ java: 'java', jar: 'java -jar' },
}

/** Return how a script is started, by its suffix; empty if nobody knows. */
export function entrypointOf(name: string): string {
  const interpreter = INTERPRETERS[/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '']
  const quoted = /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'"'"'`)}'`
  return interpreter ? `${interpreter} ${quoted}` : ''
}
