package insitu.domain;

/**
 * One version of an algorithm that somebody wants to run.
 *
 * @param did its DID; empty if it is not published yet
 * @param checksum on-chain checksum of this version's document
 * @param publisher the creator, from whom the DID derives
 * @param registrant who registered this version
 * @param isCurrent whether it is the registry's current version
 */
public record AlgorithmVersion(String did, String checksum, Address publisher, Address registrant, boolean isCurrent) {
    /** Returns the algorithm in words. */
    String shown() {
        return did.isEmpty() ? "a new algorithm of " + publisher : did + " at checksum " + checksum;
    }
}
