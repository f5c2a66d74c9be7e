package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An account or contract. Two that are equal are the same account, in whatever case they were written.
 *
 * @param text 0x and 40 hexadecimal digits, in the case of EIP-55
 */
public record Address(String text) {
    private static final Pattern FORM = Pattern.compile("0x[0-9a-fA-F]{40}");

    /**
     * Reads an address in any case.
     *
     * @throws InsituException {@code InvalidId} for anything else
     */
    public Address {
        if (!FORM.matcher(text).matches()) {
            throw new InsituException(
                    ErrorCode.InvalidId, Ids.shown(text) + " is not an address of 0x and 40 hexadecimal digits");
        }
        text = cased(text.substring(2).toLowerCase(Locale.ROOT));
    }

    /** Returns the address of its 20 bytes. */
    public static Address of(byte[] bytes) {
        return new Address(Bytes.hex(bytes));
    }

    /** Returns the 20 bytes. */
    public byte[] bytes() {
        return Bytes.fromHex(text);
    }

    @Override
    public String toString() {
        return text;
    }

    private static String cased(String digits) {
        String hash = Bytes.digits(Hashes.keccak(Bytes.utf8(digits)));
        StringBuilder cased = new StringBuilder("0x");
        for (int at = 0; at < digits.length(); at++) {
            char digit = digits.charAt(at);
            cased.append(hash.charAt(at) >= '8' ? Character.toUpperCase(digit) : digit);
        }
        return cased.toString();
    }
}
