package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.AgreementId;
import insitu.domain.Calls;
import insitu.domain.Contracts;
import insitu.domain.Permit;
import insitu.domain.SignedPermit;
import insitu.domain.SignedPurchase;
import insitu.domain.SigningDomain;
import insitu.domain.Terms;
import insitu.internal.Bytes;
import insitu.json.JsonObject;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes purchases for one account: its own transaction, or signed here and sent by the gateway. */
final class Purchases {
    private static final long ASK_AGAIN = 5_000_000_000L;
    // An account whose code only delegates still signs with its key (EIP-7702).
    private static final byte[] DELEGATION = Bytes.fromHex("0xef0100");

    private final Provider provider;
    private volatile @Nullable SigningDomain token;

    Purchases(Provider provider) {
        this.provider = provider;
    }

    /** Creates and locks the agreement, and returns once the chain has that. */
    void send(Terms terms, Gateway gateway, BuyOptions.Relay relay) throws InterruptedException {
        SignedPermit permit = permit(terms);
        Transactions transactions = new Transactions(provider);
        boolean isOwn = relay == BuyOptions.Relay.IF_NEEDED
                ? provider.hasNode()
                        && provider.chain().coin(provider.address()).signum() > 0
                : relay == BuyOptions.Relay.NEVER;
        AgreementId id = terms.id(provider.chain().contracts().domain());
        if (isOwn) {
            transactions.carryOut(
                    Calls.createAndLock(terms, Calls.UNSIGNED, permit),
                    () -> provider.chain().state(id).isLocked());
        } else {
            relay(id, terms, permit, gateway);
        }
    }

    private void relay(AgreementId id, Terms terms, @Nullable SignedPermit permit, Gateway gateway)
            throws InterruptedException {
        String signature =
                provider.sign(terms.typedData(provider.chain().contracts().domain()));
        JsonObject purchase = new SignedPurchase(terms, signature, permit).json();
        hand(gateway, id, purchase);
        long asked = System.nanoTime();
        for (Pause pause = new Pause(20, 1000); !provider.chain().state(id).isLocked(); pause.sleep()) {
            if (pause.isLongest() && provider.chain().time() > terms.deadline()) {
                String detail =
                        gateway.url() + " did not send the purchase before its deadline; nothing was or will be paid";
                throw new InsituException(ErrorCode.TransactionUnconfirmed, detail);
            }
            if (System.nanoTime() - asked > ASK_AGAIN) {
                asked = System.nanoTime();
                askAgain(gateway, id, purchase);
            }
        }
    }

    private static void hand(Gateway gateway, AgreementId id, JsonObject purchase) throws InterruptedException {
        gateway.ask("/agreements", purchase, at -> at.at("serviceAgreementId").oneOf(id.text()));
    }

    /** A refusal ends the waiting, an absent gateway does not. */
    private static void askAgain(Gateway gateway, AgreementId id, JsonObject purchase) throws InterruptedException {
        try {
            hand(gateway, id, purchase);
        } catch (InsituException refusal) {
            if (!List.of(ErrorCode.PeerUnavailable, ErrorCode.ChainUnavailable).contains(refusal.code())) {
                throw refusal;
            }
        }
    }

    /** Allows exactly the price, with the next nonce; a contract account cannot, and needs an allowance. */
    private @Nullable SignedPermit permit(Terms terms) throws InterruptedException {
        BigInteger total = terms.total();
        if (total.signum() == 0) {
            return null;
        }
        Chain chain = provider.chain();
        Address template = chain.contracts().template();
        byte[] code = chain.code(terms.consumer());
        if (code.length > 0 && !Arrays.equals(Arrays.copyOf(code, DELEGATION.length), DELEGATION)) {
            BigInteger allowed = chain.tokenNumber(Contracts.ALLOWANCE, terms.consumer(), template);
            if (allowed.compareTo(total) < 0) {
                String detail = template + " may take " + allowed + " base units, the price is " + total
                        + "; this account needs an allowance";
                throw new InsituException(ErrorCode.AllowanceTooLow, detail);
            }
            return null;
        }
        BigInteger nonce = chain.tokenNumber(Contracts.NONCES, terms.consumer());
        Permit permit = new Permit(terms.consumer(), template, total, nonce, terms.deadline());
        return new SignedPermit(total, terms.deadline(), provider.sign(permit.typedData(tokenDomain())));
    }

    /** Returns the domain that the token verifies, which never changes. */
    private SigningDomain tokenDomain() throws InterruptedException {
        SigningDomain known = token;
        if (known == null) {
            known = askToken();
            token = known;
        }
        return known;
    }

    private SigningDomain askToken() throws InterruptedException {
        Chain chain = provider.chain();
        Address token = chain.contracts().token();
        Object separator = chain.view(token, Contracts.DOMAIN_SEPARATOR);
        String name = (String) chain.view(token, Contracts.NAME);
        for (String version : List.of("1", "2")) {
            SigningDomain domain =
                    new SigningDomain(name, version, chain.contracts().chainId(), token);
            if (domain.separator().equals(separator)) {
                return domain;
            }
        }
        throw new InsituException(
                ErrorCode.PermitInvalid, "the token " + token + " has a form of permit that is not known");
    }

    /** Returns once the provider has granted an agreement. */
    static void awaitGrant(Chain chain, AgreementId id, Terms terms) throws InterruptedException {
        for (Pause pause = new Pause(20, 1000); ; pause.sleep()) {
            AgreementState state = chain.state(id);
            if (state.isRefunded()) {
                String detail = "the payment of " + id + " was returned to " + terms.consumer();
                throw new InsituException(ErrorCode.AgreementRefused, detail);
            }
            if (state.isGranted()) {
                return;
            }
            if (!state.isLocked()) {
                throw new InsituException(ErrorCode.AgreementUnknown, "the chain has no paid agreement " + id);
            }
            if (pause.isLongest() && chain.time() >= state.timeout(terms)) { // the time is asked for late
                String detail = "the provider did not grant " + id + " in time; the payment can be refunded";
                throw new InsituException(ErrorCode.AgreementNotGranted, detail);
            }
        }
    }
}
