/** What a gateway offers to those who publish. */
import type { AccountClient } from 'insitu'
import { isObject, type JsonObject } from 'insitu/domain'
import type { Offered } from './state.js'

const anything = (value: unknown) => (isObject(value as never) ? (value as JsonObject) : {})

/** Return the images and servers that the gateway of a client offers. Throws `PeerUnavailable`. */
export async function offeredAt(client: AccountClient, signal: AbortSignal | undefined): Promise<Offered> {
  const { http, url } = client.parts
  const info = await http.read(anything, 'GET', `${url}/api/v1/gateway/services`, { signal })
  return { images: objectsOf(info['supportedContainers']), servers: objectsOf(info['supportedServers']) }
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one): one is JsonObject => isObject(one)) : []
}
