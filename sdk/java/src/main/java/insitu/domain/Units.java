package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Quantities of infrastructure: cores, graphics processors, bytes. Exact integers. */
public final class Units {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,19})(?:\\.([0-9]{1,9}))? ?(?:([kmgtp]?)(i?)b)?");
    private static final Pattern CORES = Pattern.compile("([0-9]{1,7})(?:\\.([0-9]{1,3}))?");
    private static final Pattern COUNT = Pattern.compile("[0-9]{1,9}");
    private static final int MAX_BITS = 63;
    private static final long MAX_MILLICORES = 1_000_000_000;

    private Units() {}

    /**
     * Reads a size in bytes: {@code 128gb}, {@code 512MiB}, {@code 1.5gb}, {@code 1024}. {@code kb} to {@code pb} are
     * powers of 1000, {@code kib} to {@code pib} of 1024.
     *
     * @throws InsituException {@code InvalidQuantity} if it is not a number, has an unknown unit or a fraction of a byte,
     *     or exceeds 2^63 - 1
     */
    public static long parseBytes(String text) {
        Matcher size = SIZE.matcher(text.toLowerCase(Locale.ROOT));
        if (!size.matches() || ("".equals(size.group(3)) && "i".equals(size.group(4)))) {
            throw invalid(text, "a size like 8gb or 512mib");
        }
        String fraction = size.group(2) == null ? "" : size.group(2);
        String letter = size.group(3) == null ? "" : size.group(3);
        BigInteger factor = BigInteger.valueOf("i".equals(size.group(4)) ? 1024 : 1000)
                .pow(letter.isEmpty() ? 0 : "kmgtp".indexOf(letter) + 1);
        BigInteger[] bytes = new BigInteger(size.group(1) + fraction)
                .multiply(factor)
                .divideAndRemainder(BigInteger.TEN.pow(fraction.length()));
        if (bytes[1].signum() != 0) {
            throw invalid(text, "a whole number of bytes");
        }
        if (bytes[0].bitLength() > MAX_BITS) {
            throw invalid(text, "at most 2^63 - 1 bytes");
        }
        return bytes[0].longValue();
    }

    /**
     * Reads a number of cores in thousandths: {@code 2} is 2000, {@code 0.5} is 500.
     *
     * @throws InsituException {@code InvalidQuantity} if it is not a number, finer than a thousandth, or too large
     */
    public static long parseCores(String text) {
        Matcher cores = CORES.matcher(text);
        if (!cores.matches()) {
            throw invalid(text, "a number of cores like 2 or 0.5");
        }
        String fraction = cores.group(2) == null ? "" : cores.group(2);
        long thousandths = Long.parseLong(cores.group(1)) * 1000 + Long.parseLong((fraction + "000").substring(0, 3));
        if (thousandths > MAX_MILLICORES) {
            throw invalid(text, "a possible number of cores");
        }
        return thousandths;
    }

    /** Reads a whole number of things, such as graphics processors. Throws {@code InvalidQuantity}. */
    public static long parseCount(String text) {
        if (!COUNT.matcher(text).matches()) {
            throw invalid(text, "a whole number");
        }
        return Long.parseLong(text);
    }

    private static InsituException invalid(String text, String wanted) {
        return new InsituException(ErrorCode.InvalidQuantity, Ids.shown(text) + " is not " + wanted);
    }
}
