package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Hashes;
import java.util.Arrays;
import java.util.List;

/**
 * The code of a contract of this release.
 *
 * @param contract the contract's name
 * @param hash its Keccak-256 with zeros in place of the words that each deployment has of its own
 * @param words where such a word of 32 bytes begins
 */
public record ContractCode(String contract, String hash, List<Integer> words) {
    public ContractCode {
        words = List.copyOf(words);
    }

    /** Returns whether the code at an address is this one. */
    public boolean isCode(byte[] found) {
        byte[] masked = found.clone();
        words.stream()
                .filter(start -> start < masked.length)
                .forEach(start -> Arrays.fill(masked, start, Math.min(start + 32, masked.length), (byte) 0));
        return Bytes.hex(Hashes.keccak(masked)).equals(hash);
    }
}
