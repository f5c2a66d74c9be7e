package insitu.receipt;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.FileDigest;
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

    /**
     * Refuses files that are not the published ones: all of them, under their names, with their content.
     *
     * @param files of a result, in any order
     * @throws InsituException {@code ReceiptInvalid}
     */
    public void requireFiles(List<FileDigest> files) {
        Statement.Output output = statement.predicate().output();
        if (output == null || !output.root().equals(FileDigest.outputRoot(files))) {
            throw new InsituException(ErrorCode.ReceiptInvalid, "these are not the files that were published");
        }
    }
}
