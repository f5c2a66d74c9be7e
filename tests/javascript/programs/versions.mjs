import { connect } from 'insitu'

const [url, did, last] = process.argv.slice(2)
const { assets } = await connect(url)
const versions = await assets.versions(did)
const [first, found] = [await assets.at(did, 1), await assets.at(did, `0x${last}`)]
const missing = await Promise.all([9, 'ab'.repeat(32)].map(wanted => assets.at(did, wanted).catch(error => error.code)))
console.log(
  JSON.stringify({
    versions: versions.map(({ ddo, ...one }) => ({ ...one, price: ddo.service[1].main.price })),
    at: [first, found].map(({ number, isCurrent, ddo }) => [number, isCurrent, ddo.service[1].main.price]),
    missing,
  }),
)
