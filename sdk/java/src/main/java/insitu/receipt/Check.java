package insitu.receipt;

import insitu.ErrorCode;
import insitu.InsituException;
import java.util.List;

/**
 * Something that was looked at.
 *
 * @param what in words
 * @param holds whether it is so
 */
public record Check(String what, boolean holds) {
    /**
     * Returns what was checked, in words.
     *
     * @throws InsituException {@code ReceiptInvalid} with the first check that does not hold
     */
    public static List<String> requireAll(List<Check> checks) {
        for (Check check : checks) {
            if (!check.holds()) {
                throw new InsituException(ErrorCode.ReceiptInvalid, "this check failed: " + check.what());
            }
        }
        return checks.stream().map(Check::what).toList();
    }
}
