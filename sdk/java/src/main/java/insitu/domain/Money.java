package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.json.Json;
import insitu.json.JsonNumber;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.LinkedList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Amounts in base units of the token: integers, never rounded. */
public final class Money {
    /** The largest total that the escrow holds for one agreement: 2^128 - 1. */
    public static final BigInteger MAX_AMOUNT = BigInteger.TWO.pow(128).subtract(BigInteger.ONE);

    private static final Pattern AMOUNT = Pattern.compile("0|[1-9][0-9]{0,38}");

    private Money() {}

    /**
     * Reads an amount as documents write it: a text of decimal digits in base units, or a whole number.
     *
     * @throws InsituException {@code InvalidAmount} for anything else, and above {@link #MAX_AMOUNT}
     */
    public static BigInteger parseAmount(@Nullable JsonValue value) {
        String digits = value instanceof JsonNumber || value instanceof JsonString
                ? Json.text(value).replaceFirst("^\"(.*)\"$", "$1")
                : "";
        if (!AMOUNT.matcher(digits).matches()) {
            throw new InsituException(ErrorCode.InvalidAmount, "an amount is a decimal integer of base units");
        }
        BigInteger amount = new BigInteger(digits);
        if (amount.compareTo(MAX_AMOUNT) > 0) {
            throw new InsituException(ErrorCode.InvalidAmount, amount + " is not between 0 and 2^128 - 1");
        }
        return amount;
    }

    /**
     * Returns what each receiver is paid when the escrow releases a part of the price.
     *
     * <p>From the last receiver to the second each gets, of what the later ones left over, its share of everything
     * settled so far, rounded down, less what it got before; the first gets the rest. So nothing is lost to rounding.
     *
     * @param amounts for each receiver, in the order of the terms
     * @param settled what was settled before
     * @param charge what is settled now
     * @throws InsituException {@code ChargeExceedsRemainder} if more would be settled than was agreed
     */
    public static List<BigInteger> split(List<BigInteger> amounts, BigInteger settled, BigInteger charge) {
        BigInteger total = amounts.stream().reduce(BigInteger.ZERO, BigInteger::add);
        if (charge.signum() < 0 || settled.signum() < 0 || settled.add(charge).compareTo(total) > 0) {
            String detail = "charge " + charge + " with " + settled + " of " + total + " settled";
            throw new InsituException(ErrorCode.ChargeExceedsRemainder, detail);
        }
        BigInteger before = settled;
        BigInteger after = settled.add(charge);
        LinkedList<BigInteger> shares = new LinkedList<>();
        for (int at = amounts.size() - 1; at > 0; at--) {
            BigInteger was = share(before, amounts.get(at), total);
            BigInteger is = share(after, amounts.get(at), total);
            shares.addFirst(is.subtract(was));
            before = before.subtract(was);
            after = after.subtract(is);
            total = total.subtract(amounts.get(at));
        }
        if (!amounts.isEmpty()) {
            shares.addFirst(after.subtract(before));
        }
        return List.copyOf(shares);
    }

    private static BigInteger share(BigInteger settled, BigInteger amount, BigInteger total) {
        return total.signum() == 0 ? BigInteger.ZERO : settled.multiply(amount).divide(total);
    }
}
