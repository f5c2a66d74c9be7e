package insitu.json;

import insitu.ErrorCode;
import insitu.InsituException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * A number. Documents write amounts as text, because readers disagree about large numbers.
 *
 * @param value from -(2^53 - 1) to 2^53 - 1; others are refused with {@code InvalidDocument}
 */
public record JsonNumber(double value) implements JsonValue {
    /** The largest integer that every reader of JSON reads as it is: 2^53 - 1. */
    public static final long MAX = (1L << 53) - 1;

    private static final int MOST_DIGITS = 17;

    public JsonNumber {
        if (!fits(value)) {
            throw new InsituException(ErrorCode.InvalidDocument, "a number beyond 2^53 - 1: write it as a string");
        }
    }

    /** Returns whether the number has no fraction. */
    public boolean isInteger() {
        return value == Math.rint(value);
    }

    static boolean fits(double value) {
        return Math.abs(value) <= MAX;
    }

    /** Returns the number as RFC 8785 writes it: the fewest digits that are read as the same number. */
    String canonical() {
        if (isInteger()) {
            return Long.toString((long) value);
        }
        BigDecimal digits = fewestDigits(value);
        String unscaled = digits.unscaledValue().abs().toString();
        int point = unscaled.length() - digits.scale();
        return (value < 0 ? "-" : "") + place(unscaled, point);
    }

    // Double.toString writes more digits than needed for some numbers before JDK 19.
    private static BigDecimal fewestDigits(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits < MOST_DIGITS; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == value) {
                return rounded.stripTrailingZeros();
            }
        }
        return exact.round(new MathContext(MOST_DIGITS, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    }

    // ECMAScript's Number::toString, for numbers with a fraction below 2^53. The point is behind so many digits.
    private static String place(String digits, int point) {
        if (point > 0) {
            return digits.substring(0, point) + "." + digits.substring(point);
        }
        if (point > -6) {
            return "0." + "0".repeat(-point) + digits;
        }
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        return digits.charAt(0) + fraction + "e" + (point - 1);
    }
}
