package insitu.domain;

import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Terms with the consumer's signature, which anybody may send.
 *
 * @param terms what is bought
 * @param signature the consumer's, of a key or a contract account: 0x and hexadecimal digits
 * @param permit what allows the contract to take the price; null if there is an allowance, or nothing to pay
 */
public record SignedPurchase(
        Terms terms, String signature, @Nullable SignedPermit permit) {
    /**
     * Returns the call that creates the agreement and locks the payment. A key's signature is sent with v 27 or 28, and
     * whatever a contract account accepts (ERC-1271) as it is, since only the account knows its form.
     *
     * @throws InsituException {@code SignatureMismatch} if the signature does not have 65 to 4,096 bytes
     */
    public Call call(SigningDomain domain) {
        byte[] raw = Signatures.ofAccount(signature);
        boolean isKeys = Signatures.isSignedBy(terms.typedData(domain).digest(), raw, terms.consumer());
        return Calls.createAndLock(terms, Bytes.hex(isKeys ? Signatures.forCall(signature) : raw), permit);
    }

    /** Returns the JSON of the purchase for a gateway: amounts are text. */
    public JsonObject json() {
        Map<String, Object> purchase = new LinkedHashMap<>();
        purchase.put("terms", terms.json());
        purchase.put("signature", signature);
        if (permit != null) {
            purchase.put(
                    "permit",
                    Map.of(
                            "value", permit.value().toString(),
                            "deadline", permit.deadline(),
                            "signature", permit.signature()));
        }
        return Json.objectOf(purchase);
    }
}
