package insitu.domain;

import insitu.internal.Abi;
import java.util.List;

/**
 * A function of a contract.
 *
 * @param contract the contract's name
 * @param signature as the ABI writes it: {@code isDIDProvider(bytes32,address)}
 * @param returns the types of what it returns
 */
public record ContractFunction(String contract, String signature, List<String> returns) {
    public ContractFunction {
        returns = List.copyOf(returns);
    }

    /** Returns a call with these arguments; see {@link Call}. */
    public Call call(Object... arguments) {
        return new Call(this, List.of(arguments));
    }

    /**
     * Reads what the function returned: numbers are {@link java.math.BigInteger}, accounts {@link Address}, other bytes
     * text of 0x and hexadecimal digits, lists and structs {@link List}.
     *
     * @throws insitu.InsituException {@code ChainUnavailable} if the answer is cut off
     */
    public List<Object> read(byte[] answer) {
        return Abi.decode(returns, answer);
    }
}
