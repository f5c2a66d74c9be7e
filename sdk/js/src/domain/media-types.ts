/** What stands for an unknown type. */
export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream'

/** Media type → suffixes; the same table in every language, so that a file has one type everywhere. */
const SUFFIXES: Readonly<Record<string, string>> = {
  'application/geo+json': '.geojson',
  'application/gzip': '.gz .tgz',
  'application/json': '.json',
  'application/pdf': '.pdf',
  'application/toml': '.toml',
  'application/vnd.apache.arrow.file': '.arrow .feather',
  'application/vnd.apache.parquet': '.parquet',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': '.xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': '.docx',
  'application/vnd.sqlite3': '.db .sqlite',
  'application/x-bzip2': '.bz2',
  'application/x-hdf5': '.h5 .hdf5',
  'application/x-ipynb+json': '.ipynb',
  'application/x-ndjson': '.jsonl .ndjson',
  'application/x-sh': '.sh',
  'application/x-tar': '.tar',
  'application/x-xz': '.xz',
  'application/xml': '.xml',
  'application/yaml': '.yaml .yml',
  'application/zip': '.npz .zip',
  'application/zstd': '.zst',
  'image/gif': '.gif',
  'image/jpeg': '.jpeg .jpg',
  'image/png': '.png',
  'image/svg+xml': '.svg',
  'image/tiff': '.tif .tiff',
  'image/webp': '.webp',
  'text/css': '.css',
  'text/csv': '.csv',
  'text/html': '.htm .html',
  'text/javascript': '.js',
  'text/markdown': '.md',
  'text/plain': '.log .txt',
  'text/tab-separated-values': '.tsv',
  'text/x-python': '.py',
  'text/x-r': '.r',
  'text/x-tex': '.tex',
}

/** Return the media type of a file by the last suffix of its name or path. */
export function mediaType(name: string): string {
  const match = /(?:^|\/)[^/]+(\.[^./]+)$/.exec(name)
  const suffix = match?.[1]?.toLowerCase()
  const found = Object.entries(SUFFIXES).find(([, suffixes]) => suffix && suffixes.split(' ').includes(suffix))
  return found?.[0] ?? UNKNOWN_MEDIA_TYPE
}
