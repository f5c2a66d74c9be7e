package insitu.client;

import insitu.domain.Address;

/**
 * What the registry has of a DID.
 *
 * @param current the version that counts
 * @param owner who may change it
 * @param changes how often the owner or a provider changed
 */
public record DidRecord(Registration current, Address owner, long changes) {}
