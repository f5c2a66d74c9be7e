package insitu.domain;

import insitu.internal.Abi;
import insitu.internal.Bytes;
import java.util.List;

/**
 * A call that changes the ledger, before anybody sends it. The contract's address is the caller's to know.
 *
 * @param function what is called
 * @param arguments in order: numbers are {@link Integer}, {@link Long} or {@link java.math.BigInteger}, accounts
 *     {@link Address}, other bytes text of 0x and hexadecimal digits, lists and structs {@link List}
 */
public record Call(ContractFunction function, List<?> arguments) {
    public Call {
        arguments = List.copyOf(arguments);
    }

    /**
     * Returns the data of a transaction that makes this call: 0x and hexadecimal digits.
     *
     * @throws IllegalArgumentException if the arguments do not fit the function
     */
    public String data() {
        return Bytes.hex(Abi.call(function.signature(), arguments));
    }
}
