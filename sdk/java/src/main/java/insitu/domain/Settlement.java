package insitu.domain;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/**
 * The settlement of one execution (E10).
 *
 * @param index the execution's number in the agreement, from 0
 * @param charge in base units
 * @param receiptHash commits to the receipt: 0x and the SHA-256 of its payload
 * @param last whether it closes the agreement
 */
public record Settlement(long index, BigInteger charge, String receiptHash, boolean last) {
    /** Returns the settlement as typed data: what the provider signs so that anybody may release the payment. */
    public TypedData typedData(AgreementId agreement, SigningDomain domain) {
        Map<String, Object> members = Map.of(
                "agreementId", agreement.hex(),
                "index", index,
                "charge", charge,
                "receiptHash", receiptHash,
                "last", last);
        return new TypedData(domain, Structs.SETTLEMENT, members);
    }

    /** Returns the settlement as contracts take it. */
    List<Object> tuple() {
        return List.of(index, charge, receiptHash, last);
    }
}
