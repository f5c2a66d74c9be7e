package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import java.math.BigInteger;
import java.util.LinkedList;
import java.util.List;

/** Amounts in base units of the token: integers, never rounded. */
public final class Money {
    private Money() {}

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
