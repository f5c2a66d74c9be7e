package insitu.domain;

import insitu.internal.Bytes;
import java.util.Map;

/**
 * The EIP-712 domain of a contract: a signature for it is worth nothing for another contract or chain.
 *
 * @param name of the contract
 * @param version of the contract
 * @param chainId the chain
 * @param contract its address
 */
public record SigningDomain(String name, String version, long chainId, Address contract) {
    /** Returns the domain of a contract of this system; all of them are of version 1. */
    public static SigningDomain of(String name, long chainId, Address contract) {
        return new SigningDomain(name, "1", chainId, contract);
    }

    /** Returns the domain of agreements: one template contract on one chain. */
    public static SigningDomain ofAgreements(long chainId, Address contract) {
        return of("ServiceExecutionTemplate", chainId, contract);
    }

    /** Returns the separator, as the contract states it: 0x and 64 hexadecimal digits. */
    public String separator() {
        return Bytes.hex(hash());
    }

    byte[] hash() {
        Map<String, Object> members =
                Map.of("name", name, "version", version, "chainId", chainId, "verifyingContract", contract);
        return TypedData.hashStruct(Structs.DOMAIN, members);
    }
}
