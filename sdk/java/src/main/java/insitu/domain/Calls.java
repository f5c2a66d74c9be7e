package insitu.domain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The calls that change the ledger.
 *
 * <p>DIDs, hashes and signatures are text of 0x and hexadecimal digits. Without a signature ({@code 0x}) the account that
 * sends the call must be the one that would have signed.
 */
public final class Calls {
    /** Stands for a signature of the account that sends the call itself. */
    public static final String UNSIGNED = "0x";

    private static final Map<String, ContractFunction> REQUESTS = Map.of(
            Structs.REGISTRATIONS, Contracts.REGISTER_ATTRIBUTES_BY_SIGNATURE,
            Structs.UPDATES, Contracts.UPDATE_ATTRIBUTES_BY_SIGNATURE,
            Structs.TRANSFER, Contracts.TRANSFER_DID_OWNERSHIP_BY_SIGNATURE,
            Structs.PROVIDER_CHANGE, Contracts.SET_DID_PROVIDER_BY_SIGNATURE);

    private Calls() {}

    /** Registers a DID for the caller (P3). */
    public static Call registerAttribute(String seed, String checksum, List<Address> providers, String url) {
        return Contracts.REGISTER_ATTRIBUTE.call(seed, checksum, providers, url);
    }

    /** Registers a result with the caller as creator and the consumer as owner (E9). */
    public static Call registerAttributeFor(
            String seed, String checksum, List<Address> providers, String url, Address owner) {
        return Contracts.REGISTER_ATTRIBUTE_FOR.call(seed, checksum, providers, url, owner);
    }

    /** Registers a new version of a DID's document. The caller must be the owner. */
    public static Call updateAttribute(String did, String checksum, String url) {
        return Contracts.UPDATE_ATTRIBUTE.call(did, checksum, url);
    }

    /** Hands a DID to another owner. */
    public static Call transferOwnership(String did, Address owner) {
        return Contracts.TRANSFER_DID_OWNERSHIP.call(did, owner);
    }

    /** Creates the agreement and locks the payment (C4, C5), with the consumer's signature and permit. */
    public static Call createAndLock(Terms terms, String signature, @Nullable SignedPermit permit) {
        return Contracts.CREATE_AGREEMENT_AND_LOCK.call(terms.tuple(), signature, SignedPermit.tuple(permit));
    }

    /**
     * Creates the agreement, locks the payment and grants in one transaction (C4, C5, C7).
     *
     * @param signature the consumer's
     * @param offer the provider's signature of the same terms
     */
    public static Call createLockGrant(Terms terms, String signature, @Nullable SignedPermit permit, String offer) {
        return Contracts.CREATE_LOCK_GRANT.call(terms.tuple(), signature, SignedPermit.tuple(permit), offer);
    }

    /** Grants the execution, as the provider (C7). */
    public static Call grant(Terms terms) {
        return Contracts.FULFILL_COMPUTE_EXECUTION_CONDITION.call(terms.tuple(), terms.did(), terms.consumer());
    }

    /** Refuses the execution, as the provider; the payment goes back in the same transaction (C7). */
    public static Call refuse(Terms terms) {
        return Contracts.REFUSE.call(terms.tuple());
    }

    /** Releases the payment against a receipt (E10), with the provider's signature. */
    public static Call settle(Terms terms, Settlement settlement, String signature) {
        return Contracts.FULFILL_ESCROW_REWARD.call(terms.tuple(), settlement.tuple(), signature);
    }

    /** The settlements of one agreement, for {@link #settleBatch}. */
    public record Settled(Terms terms, List<Settlement> settlements) {
        public Settled {
            settlements = List.copyOf(settlements);
        }
    }

    /** Makes many settlements in one transaction (E10). The caller must be the provider of all of them. */
    public static Call settleBatch(List<Settled> items) {
        return Contracts.FULFILL_BATCH.call(items.stream()
                .map(one -> List.of(
                        one.terms.tuple(),
                        one.settlements.stream().map(Settlement::tuple).toList()))
                .toList());
    }

    /** Gives up an agreement whose payment is not locked, as its consumer. */
    public static Call cancel(Terms terms) {
        return Contracts.CANCEL.call(terms.tuple());
    }

    /** Sends the money of a timed-out agreement back to the consumer. Anybody may call it. */
    public static Call refund(Terms terms) {
        return Contracts.REFUND.call(terms.tuple());
    }

    /** States that an activity used an asset (W3C PROV). */
    public static Call used(String statement, String did, Address agent, String activity, String attributes) {
        return Contracts.USED.call(statement, did, agent, activity, attributes);
    }

    /** States that an asset was made from another one (W3C PROV). */
    public static Call wasDerivedFrom(
            String statement, String newDid, String usedDid, Address agent, String activity, String attributes) {
        return Contracts.WAS_DERIVED_FROM.call(statement, newDid, usedDid, agent, activity, attributes);
    }

    /** States that an agent took part in an activity on an asset (W3C PROV). */
    public static Call wasAssociatedWith(
            String statement, String did, Address agent, String activity, String attributes) {
        return Contracts.WAS_ASSOCIATED_WITH.call(statement, did, agent, activity, attributes);
    }

    /** Turns a permit into an allowance (ERC-2612). Anybody may call it. */
    public static Call usePermit(Address owner, Address spender, SignedPermit permit) {
        List<Object> arguments = new ArrayList<>(List.of(owner, spender));
        arguments.addAll(SignedPermit.tuple(permit));
        return new Call(Contracts.PERMIT, arguments);
    }

    /**
     * Carries out a request that an owner signed; anybody may send it.
     *
     * @param request such as {@link SignedRequest#data}
     * @throws IllegalArgumentException if it is no request to the registry
     */
    public static Call sendRequest(TypedData request, String signature) {
        ContractFunction function = REQUESTS.get(request.type());
        if (function == null) {
            throw new IllegalArgumentException("the registry carries out none of " + request.type());
        }
        List<Object> arguments = new ArrayList<>(request.tuple());
        arguments.add(signature);
        return new Call(function, arguments);
    }
}
