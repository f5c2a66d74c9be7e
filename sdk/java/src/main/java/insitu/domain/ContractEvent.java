package insitu.domain;

import insitu.internal.Abi;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import java.util.List;

/**
 * An event of a contract.
 *
 * @param contract the contract's name
 * @param signature as the ABI writes it
 * @param data the types of what is not in its topics
 */
public record ContractEvent(String contract, String signature, List<String> data) {
    public ContractEvent {
        data = List.copyOf(data);
    }

    /** Returns the first topic of its logs: 0x and 64 hexadecimal digits. */
    public String topic() {
        return Bytes.hex(Hashes.keccak(Bytes.utf8(signature)));
    }

    /** Reads the data of a log; see {@link ContractFunction#read}. */
    public List<Object> read(byte[] logged) {
        return Abi.decode(data, logged);
    }
}
