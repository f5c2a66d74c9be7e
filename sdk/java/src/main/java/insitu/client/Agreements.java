package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.domain.Contracts;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.domain.ExpectedCost;
import insitu.domain.Quote;
import insitu.domain.Terms;
import insitu.domain.Workflow;
import insitu.internal.Bytes;
import insitu.json.JsonObject;
import insitu.rules.WorkflowRules;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Buys workflows for one account, and ends agreements. */
public final class Agreements {
    private static final SecureRandom CHANCE = new SecureRandom();

    private final Provider provider;
    private final Quotes quotes;
    private final Purchases purchases;
    private final Endings endings;
    private final Map<AgreementId, Terms> known = new ConcurrentHashMap<>();
    // A token counts an account's permits (ERC-2612), so purchases are made one after the other.
    private final ReentrantLock turn = new ReentrantLock();

    Agreements(Provider provider) {
        this.provider = provider;
        this.quotes = new Quotes(provider);
        this.purchases = new Purchases(provider);
        this.endings = new Endings(provider);
    }

    /** Asks for verdict, server and price of a workflow; see {@link #check(String, long)}. */
    public Verdict check(String workflowDid) throws InterruptedException {
        return quotes.check(workflowDid, null).verdict();
    }

    /**
     * Asks for verdict, server and price of a workflow (C1). The answer is recomputed from the documents; nothing is signed.
     *
     * @param serviceIndex serviceDefinitionId of the first input's compute service
     * @throws InsituException {@code TermsMismatch} if the gateway says something else than the documents,
     *     {@code TemplateNotApproved}, {@code NotDIDProvider}, {@code ProviderIsContract}, and what resolving throws
     * @throws InterruptedException if this thread is interrupted
     */
    public Verdict check(String workflowDid, long serviceIndex) throws InterruptedException {
        return quotes.check(workflowDid, serviceIndex).verdict();
    }

    /**
     * Asks like {@link #check(String)} about a workflow that is not published. A stage without {@code transformation.id} runs
     * an algorithm that this account has not published.
     *
     * @param described its {@code main.workflow}
     */
    public Verdict checkPlanned(JsonObject described) throws InterruptedException {
        Workflow stages = WorkflowRules.validateWorkflow(described, "", true);
        return quotes.checkPlanned(described, stages, null).verdict();
    }

    /** Buys a workflow that has one service, at any price; see {@link #buy(String, BuyOptions)}. */
    public Agreement buy(String workflowDid) throws InterruptedException {
        return buy(workflowDid, BuyOptions.NONE);
    }

    /**
     * Buys a workflow (C1-C8): verifies contracts, documents and price, signs at most twice, creates and locks the agreement in
     * one transaction, and awaits the grant.
     *
     * @throws InsituException {@code ContractMismatch}, {@code PriceTooHigh}, {@code InsufficientFunds},
     *     {@code AgreementRefused}, {@code AgreementNotGranted}, {@code RelayOff}, {@code RelayLimitReached},
     *     {@code RelayExhausted}, {@code TransactionFailed}, {@code TransactionUnconfirmed}, what {@link #check(String)}
     *     throws, or the code of the first reason why the workflow may not run
     * @throws InterruptedException if this thread is interrupted; the same seed finds what was bought
     */
    public Agreement buy(String workflowDid, BuyOptions how) throws InterruptedException {
        provider.trust();
        Terms terms = null;
        turn.lockInterruptibly();
        try {
            String seed = how.seed();
            if (seed != null) {
                new Transactions(provider).awaitOwn();
                terms = termsOfSeed(seed);
            }
            if (terms == null) {
                terms = purchase(workflowDid, how);
            }
        } finally {
            turn.unlock();
        }
        AgreementId id = terms.id(provider.chain().contracts().domain());
        known.put(id, terms);
        Purchases.awaitGrant(provider.chain(), id, terms);
        return lookUp(id, terms);
    }

    private Terms purchase(String workflowDid, BuyOptions how) throws InterruptedException {
        Chain chain = provider.chain();
        Quotes.Asked asked = quotes.check(workflowDid, how.serviceIndex());
        ExpectedCost cost = asked.verdict().allowed();
        BigInteger total = cost.total();
        if (how.maxPrice() != null && total.compareTo(how.maxPrice()) > 0) {
            String detail = "the price is " + total + " base units, the limit " + how.maxPrice();
            throw new InsituException(ErrorCode.PriceTooHigh, detail);
        }
        BigInteger held = chain.tokenNumber(Contracts.BALANCE_OF, provider.address());
        if (held.compareTo(total) < 0) {
            String detail = provider.address() + " holds " + held + " base units, the price is " + total;
            throw new InsituException(ErrorCode.InsufficientFunds, detail);
        }
        Quote quote = Objects.requireNonNull(asked.verdict().quote());
        String seed = how.seed() == null ? chance() : how.seed();
        Terms terms = quote.terms(provider.address(), chain.time(), seed);
        try {
            purchases.send(terms, asked.gateway(), how.relay());
        } catch (InsituException refusal) {
            if (how.seed() == null || !refusal.code().equals(ErrorCode.AgreementExists)) {
                throw refusal;
            }
            return awaitEarlier(seed, terms.deadline());
        }
        return terms;
    }

    /** Waits for the purchase that an earlier call with the same seed left with the gateway. */
    private Terms awaitEarlier(String seed, long deadline) throws InterruptedException {
        Chain chain = provider.chain();
        for (Pause pause = new Pause(200, 1000); chain.time() <= deadline; pause.sleep()) {
            Terms found = termsOfSeed(seed);
            if (found != null
                    && chain.state(found.id(chain.contracts().domain())).isLocked()) {
                return found;
            }
        }
        String detail = "an earlier purchase with this seed was not sent before its deadline";
        throw new InsituException(ErrorCode.TransactionUnconfirmed, detail);
    }

    private @Nullable Terms termsOfSeed(String seed) throws InterruptedException {
        List<Terms> found = provider.chain()
                .termsOf(provider.address(), terms -> terms.seed().equals("0x" + seed), 1);
        return found.isEmpty() ? null : found.get(0);
    }

    /**
     * Returns an agreement by its id.
     *
     * @throws InsituException {@code InvalidId}, {@code AgreementUnknown}
     * @throws InterruptedException if this thread is interrupted
     */
    public Agreement show(String agreement) throws InterruptedException {
        AgreementId id = new AgreementId(agreement);
        return lookUp(id, terms(id));
    }

    /**
     * Returns the newest agreements of the account, as the chain has them: also those that were bought elsewhere.
     *
     * @param most how many; the chain is read back until there are so many
     * @throws InsituException {@code ChainUnavailable}
     * @throws InterruptedException if this thread is interrupted
     */
    public List<Agreement> list(int most) throws InterruptedException {
        List<Agreement> found = new ArrayList<>();
        for (Terms terms : provider.chain().termsOf(provider.address(), any -> true, most)) {
            found.add(lookUp(terms.id(provider.chain().contracts().domain()), terms));
        }
        return List.copyOf(found);
    }

    /** Returns what closing an agreement costs now, and what comes back. Throws like {@link #close}. */
    public Closing previewClose(String agreement) throws InterruptedException {
        return endings.preview(show(agreement));
    }

    /**
     * Ends an agreement early and returns its price, in a transaction of the provider. It never costs less than waiting: what
     * would be charged at the agreement's end is charged now. Nothing starts afterwards.
     *
     * <p>The account sends it itself if the payment has timed out, or the provider has no gas left for it.
     *
     * @param maxCharge base units; a higher charge is refused, and nothing is closed
     * @throws InsituException {@code PriceTooHigh}, {@code ExecutionInProgress}, {@code NotConsumer},
     *     {@code AgreementUnknown}, and what {@link #refund} throws where the account sends
     * @throws InterruptedException if this thread is interrupted
     */
    public Closing close(String agreement, BigInteger maxCharge) throws InterruptedException {
        return endings.close(show(agreement), maxCharge);
    }

    /**
     * Sends the money of a timed-out agreement back to its consumer. Anybody may do this; the account sends it and pays for gas.
     *
     * @throws InsituException {@code NotTimedOut} with the deadline, {@code ConditionNotInState}, {@code AgreementUnknown},
     *     {@code ContractMismatch}; {@code RelayOff} without a node, {@code InsufficientFunds} without coin,
     *     {@code TransactionFailed}, {@code TransactionUnconfirmed}
     * @throws InterruptedException if this thread is interrupted
     */
    public Agreement refund(String agreement) throws InterruptedException {
        endings.refund(show(agreement));
        return show(agreement);
    }

    /**
     * Releases the payment of a receipt to the agreed receivers, if its provider does not. Anybody may do this; the account
     * sends it and pays for gas.
     *
     * @param receipt as {@link Execution#receiptView} returns it
     * @throws InsituException {@code ReceiptInvalid}, {@code ReceiptRequired} if it releases nothing,
     *     {@code ExecutionAlreadySettled}, and what {@link #refund} throws
     * @throws InterruptedException if this thread is interrupted
     */
    public void release(JsonObject receipt) throws InterruptedException {
        endings.release(receipt);
    }

    /**
     * Runs another algorithm in the only stage of a bought workflow, as a revision: nothing more is paid (ADR 0139). Files become
     * the next version of the algorithm in the workflow, if this account made and owns that. The account signs once, and not at
     * all for the same files again; repeating an interrupted call goes on with what was signed.
     *
     * @param idempotencyKey as for {@link Compute#execute}
     * @throws InsituException {@code RevisionNotAllowed}, {@code RevisionChangesPurchase} before anything is signed;
     *     {@code EntrypointMissing}, {@code InvalidRequest} for a workflow of several stages, and what
     *     {@link Assets#registerAsset} and {@link Compute#execute} throw
     * @throws InterruptedException if this thread is interrupted
     */
    public Execution revise(String agreement, Revision revision, String idempotencyKey) throws InterruptedException {
        provider.trust();
        Agreement bought = show(agreement);
        Revising revising = new Revising(provider, bought.workflowDid(), revision);
        quotes.requireRevision(bought, gatewayOf(bought.id()), revising.described());
        return new Compute(provider).execute(agreement, idempotencyKey, revising.publish());
    }

    /** Returns the terms behind an agreement's id. They never change. */
    Terms terms(AgreementId id) throws InterruptedException {
        Terms terms = known.get(id);
        if (terms == null) {
            terms = provider.chain().terms(id);
            known.put(id, terms);
        }
        return terms;
    }

    /** Returns the gateway of a bought service, at the address in the proved document of its data set. */
    Gateway gatewayOf(AgreementId id) throws InterruptedException {
        Terms terms = terms(id);
        Ddo ddo = provider.resolver().resolve(Did.ofHex(terms.did()).text()).ddo();
        String endpoint = ddo.computeService(terms.serviceIndex()).endpoint();
        return provider.gatewayAt(Gateway.urlOf(endpoint == null ? "" : endpoint));
    }

    private Agreement lookUp(AgreementId id, Terms terms) throws InterruptedException {
        return new Agreement(
                id, terms, provider.chain().state(id), provider.chain().time());
    }

    private static String chance() {
        byte[] bytes = new byte[32];
        CHANCE.nextBytes(bytes);
        return Bytes.digits(bytes);
    }
}
