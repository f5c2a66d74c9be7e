package insitu.client;

/**
 * A published asset.
 *
 * @param asset its current version
 * @param isReused whether an equal asset of this account was there already
 */
public record PublishedAsset(ResolvedAsset asset, boolean isReused) {
    /** Returns the DID. */
    public String did() {
        return asset.did();
    }

    /** Returns the on-chain checksum of this version, 64 hexadecimal digits. */
    public String checksum() {
        return asset.checksum();
    }
}
