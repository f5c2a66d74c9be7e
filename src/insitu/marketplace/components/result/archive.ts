/** One ZIP archive of several files, as every system opens it. Nothing is compressed, so nothing is held in memory. */

/** A file with its relative path. */
export interface Entry {
  readonly name: string
  readonly content: Blob
}

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
/** 2.0, and that names are UTF-8. Results have no time of their own, so each file has the first day that ZIP knows. */
const VERSION = 20
const UTF8 = 0x0800
const FIRST_DAY = 0x21

const TABLE = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** Put files into an archive, in their order. */
export async function archiveOf(files: readonly Entry[]): Promise<Blob> {
  const [parts, directory]: [BlobPart[], BlobPart[]] = [[], []]
  let offset = 0
  for (const { name, content } of files) {
    const path = new TextEncoder().encode(name)
    const facts = [VERSION, UTF8, 0, 0, FIRST_DAY]
    const sizes = [await crcOf(content), content.size, content.size]
    const header = numbers([LOCAL], facts, sizes, [path.length, 0])
    parts.push(header, path, content)
    directory.push(numbers([CENTRAL], [VERSION, ...facts], sizes, [path.length, 0, 0, 0, 0], [0, offset]), path)
    offset += header.size + path.length + content.size
  }
  const length = new Blob(directory).size
  const end = numbers([END], [0, 0, files.length, files.length], [length, offset], [0])
  return new Blob([...parts, ...directory, end], { type: 'application/zip' })
}

/** Lists of 32 and 16 bits take turns, little-endian. */
function numbers(...lists: readonly (readonly number[])[]): Blob {
  return new Blob(lists.map((list, at) => (at % 2 === 0 ? Uint32Array.from(list) : Uint16Array.from(list))))
}

async function crcOf(content: Blob): Promise<number> {
  let crc = 0xffffffff
  const reader = content.stream().getReader()
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    for (const byte of piece.value) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
