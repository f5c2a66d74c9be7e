package insitu.domain;

import insitu.internal.Bytes;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the consumer signs and pays for (C2, C3). Times are in seconds, amounts in base units of the token; ids and hashes
 * of 32 bytes are text of 0x and 64 hexadecimal digits.
 *
 * @param seed the random part of the serviceAgreementId
 * @param did the first input of the workflow
 * @param inputsHash which version of every input is bought; see {@link InputVersion#hash}
 * @param workflowId the workflow
 * @param workflowHash on-chain checksum of the workflow's version
 * @param consumer who buys
 * @param provider who computes
 * @param serviceIndex the serviceDefinitionId
 * @param deadline create and lock no later than this time, in seconds since 1970
 * @param grantTimeout for the grant, from the lock
 * @param timeout for executions, from the grant
 * @param settleTimeout for settlements, from then
 * @param amounts at most 8; the first receiver gets the rest of a rounded charge
 * @param receivers of each amount
 */
public record Terms(
        String seed,
        String did,
        String inputsHash,
        String workflowId,
        String workflowHash,
        Address consumer,
        Address provider,
        long serviceIndex,
        long deadline,
        long grantTimeout,
        long timeout,
        long settleTimeout,
        List<BigInteger> amounts,
        List<Address> receivers) {
    public Terms {
        amounts = List.copyOf(amounts);
        receivers = List.copyOf(receivers);
    }

    /** Returns the terms as typed data: what the consumer signs. */
    public TypedData typedData(SigningDomain domain) {
        return new TypedData(domain, Structs.TERMS, members("inputsHash"));
    }

    /** Returns the serviceAgreementId. */
    public AgreementId id(SigningDomain domain) {
        return new AgreementId(Bytes.digits(typedData(domain).digest()));
    }

    /**
     * Returns the id of an agreement of the contracts before ADR 0115, of which receipts exist: there the hash of the
     * first input alone, {@code ddoHash}, stands where {@code inputsHash} is.
     */
    public AgreementId firstFormId(SigningDomain domain) {
        return new AgreementId(Bytes.digits(new TypedData(domain, Structs.TERMS_V1, members("ddoHash")).digest()));
    }

    /** Returns the full price in base units. */
    public BigInteger total() {
        return amounts.stream().reduce(BigInteger.ZERO, BigInteger::add);
    }

    /** Returns the JSON of the terms for a gateway: amounts and addresses are text. */
    public JsonObject json() {
        Map<String, Object> members = members("inputsHash");
        members.replaceAll((name, member) -> member instanceof Address ? member.toString() : member);
        members.put("amounts", amounts.stream().map(BigInteger::toString).toList());
        members.put("receivers", receivers.stream().map(Address::text).toList());
        return Json.objectOf(members);
    }

    /** Returns the terms as contracts take them. */
    List<Object> tuple() {
        return List.copyOf(members("inputsHash").values());
    }

    private Map<String, Object> members(String versions) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("seed", seed);
        members.put("did", did);
        members.put(versions, inputsHash);
        members.put("workflowId", workflowId);
        members.put("workflowHash", workflowHash);
        members.put("consumer", consumer);
        members.put("provider", provider);
        members.put("serviceIndex", serviceIndex);
        members.put("deadline", deadline);
        members.put("grantTimeout", grantTimeout);
        members.put("timeout", timeout);
        members.put("settleTimeout", settleTimeout);
        members.put("amounts", amounts);
        members.put("receivers", receivers);
        return members;
    }
}
