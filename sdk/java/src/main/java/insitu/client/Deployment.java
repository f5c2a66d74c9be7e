package insitu.client;

import insitu.domain.Address;
import insitu.domain.Contracts;
import insitu.domain.SigningDomain;
import insitu.internal.Place;
import insitu.json.JsonNumber;

/**
 * The contracts of one chain.
 *
 * @param chainId the chain
 * @param registry the DIDRegistry
 * @param template the ServiceExecutionTemplate, which holds the payments
 * @param token what is paid with
 */
public record Deployment(long chainId, Address registry, Address template, Address token) {
    /** Returns whether this release knows them, all of them. */
    public boolean isKnown() {
        return Contracts.KNOWN.stream()
                .anyMatch(one -> equals(new Deployment(one.chainId(), one.registry(), one.template(), one.token())));
    }

    /** Returns what terms of agreements are signed for. */
    SigningDomain domain() {
        return SigningDomain.ofAgreements(chainId, template);
    }

    /** Reads what a gateway says of itself. */
    static Deployment read(Place at) {
        Place contracts = at.at("contracts");
        return new Deployment(
                at.at("chainId").integer(1, JsonNumber.MAX),
                contracts.at("DIDRegistry").address(),
                contracts.at("ServiceExecutionTemplate").address(),
                contracts.at("NeverminedToken").address());
    }
}
