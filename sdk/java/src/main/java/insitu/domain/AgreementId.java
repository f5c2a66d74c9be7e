package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import java.nio.ByteBuffer;
import java.util.regex.Pattern;

/**
 * The serviceAgreementId: the EIP-712 digest of the terms (C2).
 *
 * @param text 64 lower-case hexadecimal digits without 0x
 */
public record AgreementId(String text) {
    private static final Pattern FORM = Pattern.compile("(?:0x)?[0-9a-fA-F]{64}");
    private static final String BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
    private static final int CHARACTERS = 26;

    /**
     * Reads an id, with or without 0x, in any case.
     *
     * @throws InsituException {@code InvalidId} for anything else
     */
    public AgreementId {
        if (!FORM.matcher(text).matches()) {
            throw new InsituException(
                    ErrorCode.InvalidId, Ids.shown(text) + " is not an agreement id of 64 hexadecimal digits");
        }
        text = Bytes.plainDigits(text);
    }

    /** Returns the 32 bytes as contracts take them: 0x and hexadecimal digits. */
    public String hex() {
        return "0x" + text;
    }

    /**
     * Returns the workflowExecutionId of one of the agreement's executions (E4): {@code wx} and 26 letters or digits.
     *
     * @param number counts the executions of the agreement from 0
     */
    public String execution(long number) {
        byte[] counted = ByteBuffer.allocate(Long.BYTES).putLong(number).array();
        byte[] digest = Hashes.sha256(Bytes.concat(Bytes.fromHex(text), counted));
        StringBuilder id = new StringBuilder("wx");
        for (int at = 0; at < CHARACTERS; at++) {
            int bit = 5 * at;
            int pair = (digest[bit / 8] & 0xff) << 8 | digest[bit / 8 + 1] & 0xff;
            id.append(BASE32.charAt(pair >> 11 - bit % 8 & 31));
        }
        return id.toString();
    }

    /**
     * Returns the id of one of the agreement's three conditions, as the contracts compute it: 0x and 64 digits.
     *
     * @param contract the ServiceExecutionTemplate
     * @param condition 0 lockReward, 1 execCompute, 2 escrowReward
     */
    public String condition(Address contract, int condition) {
        return Bytes.hex(Hashes.keccak(Bytes.fromHex(text), Bytes.padStart(contract.bytes()), Bytes.word(condition)));
    }

    @Override
    public String toString() {
        return text;
    }
}
