/** Runs every test in one process: starting one for each file takes longer than the tests. */
import { readdirSync } from 'node:fs'

const FOLDER = new URL('.', import.meta.url)

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.test.js'))
for (const file of files.sort()) await import(new URL(file, FOLDER).href)
