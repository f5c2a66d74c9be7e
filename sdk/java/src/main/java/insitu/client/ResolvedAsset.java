package insitu.client;

import insitu.domain.Address;
import insitu.domain.Ddo;

/**
 * The current version of an asset, proved to be what the chain names.
 *
 * @param record what the registry has
 * @param ddo the document
 * @param creator the account that the DID derives from
 */
public record ResolvedAsset(DidRecord record, Ddo ddo, Address creator) {
    /** Returns the DID. */
    public String did() {
        return record.current().did();
    }

    /** Returns the on-chain checksum of this version, 64 hexadecimal digits. */
    public String checksum() {
        return record.current().checksum();
    }

    /** Returns the account that answers for this version: its creator, or the owner who registered a later one. */
    public Address registrant() {
        return record.current().version() == 1 ? creator : record.current().registrant();
    }
}
