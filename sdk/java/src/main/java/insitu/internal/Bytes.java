package insitu.internal;

import insitu.ErrorCode;
import insitu.InsituException;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Bytes, and how they are written. */
public final class Bytes {
    private static final int WORD = 32;
    private static final Pattern DIGITS = Pattern.compile("(?:0x)?(?:[0-9a-fA-F]{2})*");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private Bytes() {}

    /** Returns lower-case hexadecimal digits without 0x. */
    public static String digits(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /** Returns 0x and lower-case hexadecimal digits. */
    public static String hex(byte[] bytes) {
        return "0x" + digits(bytes);
    }

    /** Returns the bytes of hexadecimal digits, with or without 0x. Throws {@code InvalidDocument} for other text. */
    public static byte[] fromHex(String text) {
        if (!isHex(text)) {
            throw new InsituException(ErrorCode.InvalidDocument, "hexadecimal digits are needed, two for each byte");
        }
        return HexFormat.of().parseHex(withoutPrefix(text));
    }

    /** Returns whether a text is hexadecimal digits, two for each byte, with or without 0x. */
    public static boolean isHex(String text) {
        return DIGITS.matcher(text).matches();
    }

    /** Returns a checksum in lower case and without 0x, so that two spellings are equal. */
    public static String plainDigits(String checksum) {
        return withoutPrefix(checksum.toLowerCase(Locale.ROOT));
    }

    /** Returns the digits of a SHA-256 that is written with or without {@code sha256:} or 0x; nothing if it is none. */
    public static Optional<String> sha256Of(@Nullable String checksum) {
        String lower = checksum == null ? "" : checksum.toLowerCase(Locale.ROOT);
        String digits = plainDigits(lower.startsWith("sha256:") ? lower.substring("sha256:".length()) : lower);
        return Optional.of(digits).filter(SHA256.asMatchPredicate());
    }

    private static String withoutPrefix(String text) {
        return text.startsWith("0x") ? text.substring(2) : text;
    }

    /** Returns the UTF-8 of a text. */
    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Returns all parts, one after the other. */
    public static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            joined.writeBytes(part);
        }
        return joined.toByteArray();
    }

    /** Returns a number as a word of 32 bytes; it has at most 256 bits and is not negative. */
    public static byte[] word(BigInteger number) {
        if (number.signum() < 0 || number.bitLength() > 8 * WORD) {
            throw new IllegalArgumentException("a number of a contract is an integer from 0 to 2^256 - 1");
        }
        byte[] bytes = number.toByteArray(); // perhaps with a byte for the sign
        return padStart(bytes.length > WORD ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes);
    }

    /** Returns a number as a word of 32 bytes. */
    public static byte[] word(long number) {
        return word(BigInteger.valueOf(number));
    }

    /** Returns at most 32 bytes as a word, with zeros before them. */
    public static byte[] padStart(byte[] bytes) {
        if (bytes.length > WORD) {
            throw new IllegalArgumentException(bytes.length + " bytes do not fit in a word");
        }
        return concat(new byte[WORD - bytes.length], bytes);
    }

    /** Returns bytes with zeros behind them up to the next whole word. */
    public static byte[] padEnd(byte[] bytes) {
        return Arrays.copyOf(bytes, (bytes.length + WORD - 1) / WORD * WORD);
    }
}
