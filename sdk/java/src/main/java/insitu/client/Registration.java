package insitu.client;

import insitu.domain.Address;

/**
 * A version of an asset as it was registered, and where it can be read.
 *
 * @param did the asset
 * @param version counts from 1
 * @param checksum on-chain checksum of this version, 64 hexadecimal digits
 * @param url whatever its owner wrote; <code>{did}</code> in it stands for the DID
 * @param registrant who owned the DID after this version was registered
 * @param block that registered it
 * @param previousBlock that registered the version before; 0 for the first
 */
public record Registration(
        String did, long version, String checksum, String url, Address registrant, long block, long previousBlock) {}
