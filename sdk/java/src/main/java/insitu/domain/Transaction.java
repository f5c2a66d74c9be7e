package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Rlp;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A transaction that is not signed. Fees are in wei.
 *
 * @param chainId the chain
 * @param nonce how many transactions the sender made before
 * @param to the contract
 * @param data of the call: 0x and hexadecimal digits
 * @param value coin that is sent
 * @param gas the most that it may use
 * @param maxFeePerGas what EIP-1559 asks for; 0 if there is a gas price
 * @param maxPriorityFeePerGas the part of it that is for whoever puts it into a block; 0 if there is a gas price
 * @param gasPrice null, or the price of a transaction of EIP-155
 */
public record Transaction(
        long chainId,
        long nonce,
        Address to,
        String data,
        BigInteger value,
        BigInteger gas,
        BigInteger maxFeePerGas,
        BigInteger maxPriorityFeePerGas,
        @Nullable BigInteger gasPrice) {
    /** Returns the 32 bytes that the sender's key signs. */
    public byte[] digest() {
        return Hashes.keccak(gasPrice == null ? modern() : legacy(chainId, BigInteger.ZERO, BigInteger.ZERO));
    }

    /** Signs the transaction and returns the bytes that are sent. */
    public byte[] signed(Signer sender) {
        byte[] signature = sender.sign(digest());
        BigInteger r = new BigInteger(1, Arrays.copyOf(signature, 32));
        BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64));
        long parity = (signature[64] + 1) % 2;
        return gasPrice == null ? modern(BigInteger.valueOf(parity), r, s) : legacy(chainId * 2 + 35 + parity, r, s);
    }

    /** Returns the hash by which a chain knows what was sent: 0x and 64 hexadecimal digits. */
    public static String hash(byte[] signed) {
        return Bytes.hex(Hashes.keccak(signed));
    }

    private byte[] modern(BigInteger... signature) {
        List<byte[]> items = numbers(chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gas);
        items.addAll(payload());
        items.add(Rlp.list()); // no access list
        items.addAll(numbers((Object[]) signature));
        return Bytes.concat(new byte[] {2}, Rlp.list(items.toArray(byte[][]::new)));
    }

    private byte[] legacy(long v, BigInteger r, BigInteger s) {
        List<byte[]> items = numbers(nonce, gasPrice, gas);
        items.addAll(payload());
        items.addAll(numbers(v, r, s));
        return Rlp.list(items.toArray(byte[][]::new));
    }

    private List<byte[]> payload() {
        return List.of(Rlp.bytes(to.bytes()), Rlp.number(value), Rlp.bytes(Bytes.fromHex(data)));
    }

    private static List<byte[]> numbers(Object... numbers) {
        List<byte[]> items = new ArrayList<>();
        for (Object number : numbers) {
            items.add(Rlp.number(new BigInteger(number.toString())));
        }
        return items;
    }
}
