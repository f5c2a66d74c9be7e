package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.domain.Call;
import insitu.domain.Calls;
import insitu.domain.Settlement;
import insitu.domain.Signatures;
import insitu.domain.Terms;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.receipt.Check;
import insitu.receipt.Envelope;
import insitu.receipt.Opening;
import insitu.receipt.Receipts;
import insitu.receipt.VerifiedReceipt;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Ends agreements: the provider sends what it can, and the account what nobody else would. */
final class Endings {
    private static final Pattern HASH = Pattern.compile("0x[0-9a-f]{64}");
    private static final Pattern SIGNATURE = Pattern.compile("0x[0-9a-fA-F]{130}");

    private record Signed(Settlement settlement, String signature) {
        static Signed read(Place at) {
            Place settlement = at.at("settlement");
            return new Signed(
                    new Settlement(
                            settlement.at("index").count(),
                            settlement.at("charge").amount(),
                            settlement.at("receiptHash").matching(HASH, "0x and 64 hexadecimal digits"),
                            settlement.at("last").flag()),
                    at.at("signature").matching(SIGNATURE, "a signature of 65 bytes"));
        }
    }

    private record Answer(Closing closing, @Nullable Signed toSend) {}

    private final Provider provider;

    Endings(Provider provider) {
        this.provider = provider;
    }

    Closing preview(Agreement found) throws InterruptedException {
        return callAlone(found) == null ? ask("GET", found, null).closing() : returning("open", found);
    }

    Closing close(Agreement found, BigInteger maxCharge) throws InterruptedException {
        Call alone = callAlone(found);
        if (alone != null) {
            send(found, alone, AgreementState::isRefunded);
            return returning("refunded", found);
        }
        BigInteger charge = ask("GET", found, null).closing().charge();
        if (charge.compareTo(maxCharge) > 0) {
            String detail = "closing costs " + charge + " base units, the limit is " + maxCharge;
            throw new InsituException(ErrorCode.PriceTooHigh, detail);
        }
        Answer answer = ask("POST", found, Json.objectOf(Map.of("charge", charge.toString())));
        Closing said = answer.closing();
        if (answer.toSend() == null) {
            return said;
        }
        sendReturn(found, answer.toSend());
        return new Closing("closed", said.charge(), said.returned());
    }

    void refund(Agreement found) throws InterruptedException {
        AgreementState state = found.state();
        boolean isOver = state.isRefunded() || state.isClosed();
        if (isOver || found.inEscrow().signum() == 0) {
            String detail = "there is no payment of " + found.id() + " in escrow";
            throw new InsituException(ErrorCode.ConditionNotInState, detail);
        }
        long deadline = state.timeout(found.terms());
        if (provider.chain().time() < deadline) {
            String detail = found.id() + " can be refunded from " + Instant.ofEpochSecond(deadline) + " on";
            throw new InsituException(ErrorCode.NotTimedOut, detail);
        }
        send(found, Calls.refund(found.terms()), AgreementState::isRefunded);
    }

    void release(JsonObject receipt) throws InterruptedException {
        Place view = Place.of(receipt);
        VerifiedReceipt verified =
                Receipts.verify(Envelope.read(view.at("envelope").object()));
        Signed signed = view.at("settlement").optional(Signed::read);
        if (signed == null) {
            throw new InsituException(ErrorCode.ReceiptRequired, "this receipt releases no payment");
        }
        AgreementId id =
                new AgreementId(verified.statement().predicate().agreement().serviceAgreementId());
        Terms terms = provider.agreements().terms(id);
        Settlement settlement = signed.settlement();
        Check.requireAll(Opening.ofSettlement(verified, terms, settlement, signed.signature()));
        if (provider.chain().isSettled(id, settlement.index())) {
            String detail = "execution " + settlement.index() + " of " + id + " is settled";
            throw new InsituException(ErrorCode.ExecutionAlreadySettled, detail);
        }
        new Transactions(provider)
                .carryOut(
                        Calls.settle(terms, settlement, signed.signature()),
                        () -> provider.chain().isSettled(id, settlement.index()));
    }

    /** Sends a settlement that the provider signed but does not send now, if it returns the whole price. */
    private void sendReturn(Agreement found, Signed signed) throws InterruptedException {
        Settlement settlement = signed.settlement();
        if (settlement.charge().signum() != 0 || !settlement.last()) {
            String detail = "the settlement to send does not return the whole price";
            throw new InsituException(ErrorCode.AmountMismatch, detail);
        }
        byte[] digest = settlement
                .typedData(found.id(), provider.chain().contracts().domain())
                .digest();
        if (!Signatures.recover(digest, signed.signature()).equals(found.terms().provider())) {
            String detail = found.terms().provider() + " did not sign the settlement of " + found.id();
            throw new InsituException(ErrorCode.SignatureMismatch, detail);
        }
        Call call = Calls.settle(found.terms(), settlement, signed.signature());
        send(found, call, AgreementState::isClosed);
    }

    /** Returns the call with which a consumer ends an agreement alone, or null: nothing is locked, or it has timed out. */
    private @Nullable Call callAlone(Agreement found) throws InterruptedException {
        AgreementState state = found.state();
        if (state.isRefunded() || state.isClosed()) {
            return null;
        }
        if (!state.isLocked()) {
            return Calls.cancel(found.terms());
        }
        boolean isOver = provider.chain().time() >= state.timeout(found.terms());
        return isOver && found.inEscrow().signum() > 0 ? Calls.refund(found.terms()) : null;
    }

    private Answer ask(String method, Agreement found, @Nullable JsonObject json) throws InterruptedException {
        Gateway gateway = provider.agreements().gatewayOf(found.id());
        return gateway.call(
                method,
                "/agreements/" + found.id() + "/close",
                Map.of(),
                json,
                at -> new Answer(
                        new Closing(
                                at.at("status").text(),
                                at.at("charge").amount(),
                                at.at("returned").amount()),
                        at.at("settlement").optional(Signed::read)));
    }

    private void send(Agreement found, Call call, Predicate<AgreementState> holds) throws InterruptedException {
        new Transactions(provider)
                .carryOut(call, () -> holds.test(provider.chain().state(found.id())));
    }

    private static Closing returning(String status, Agreement found) {
        return new Closing(status, found.state().settled(), found.inEscrow());
    }
}
