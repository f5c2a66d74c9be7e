package insitu.internal;

import java.math.BigInteger;
import java.util.Arrays;

/** How transactions are written: bytes, and lists of what is written. */
public final class Rlp {
    private Rlp() {}

    /** Writes bytes. */
    public static byte[] bytes(byte[] bytes) {
        return bytes.length == 1 && bytes[0] >= 0 ? bytes : Bytes.concat(prefix(0x80, bytes.length), bytes);
    }

    /** Writes a number that is not negative. */
    public static byte[] number(BigInteger number) {
        return bytes(trimmed(number.toByteArray()));
    }

    /** Writes a list of items that are written already. */
    public static byte[] list(byte[]... items) {
        byte[] content = Bytes.concat(items);
        return Bytes.concat(prefix(0xc0, content.length), content);
    }

    /** Returns bytes without the zeros before them. */
    private static byte[] trimmed(byte[] bytes) {
        int first = 0;
        while (first < bytes.length && bytes[first] == 0) {
            first++;
        }
        return Arrays.copyOfRange(bytes, first, bytes.length);
    }

    private static byte[] prefix(int offset, int length) {
        if (length < 56) {
            return new byte[] {(byte) (offset + length)};
        }
        byte[] size = trimmed(Bytes.word(length));
        return Bytes.concat(new byte[] {(byte) (offset + 55 + size.length)}, size);
    }
}
