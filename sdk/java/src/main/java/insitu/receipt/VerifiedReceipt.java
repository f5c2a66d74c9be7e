package insitu.receipt;

import insitu.domain.Address;
import java.util.List;

/**
 * A valid receipt.
 *
 * @param signer the provider that signed it
 * @param receiptHash the hash that the contract commits to: 0x and the SHA-256 of the payload
 * @param statement what it says
 * @param checked what was checked, in words
 */
public record VerifiedReceipt(Address signer, String receiptHash, Statement statement, List<String> checked) {
    public VerifiedReceipt {
        checked = List.copyOf(checked);
    }
}
