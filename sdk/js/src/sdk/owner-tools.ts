import type { AccountClient } from './account-client.js'
import { Catalogue } from './catalogue.js'
import { patchMetadata, reviseServices, sameServices } from './merge-patch.js'
import { NewVersions, proposedVersion, publicFiles } from './new-versions.js'
import { Registrations } from './registrations.js'

/** What an owner needs to change something, in one file that is loaded only then. */
export type OwnerTools = ReturnType<typeof ownerTools>

export function ownerTools(client: AccountClient) {
  return {
    ...{
      versions: new NewVersions(client),
      catalogue: new Catalogue(client),
      registrations: new Registrations(client),
    },
    ...{ patchMetadata, reviseServices, sameServices, proposedVersion, publicFiles },
  }
}
