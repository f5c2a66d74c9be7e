package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.domain.Did;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Runs bought agreements. */
public final class Compute {
    private static final Pattern EXECUTION = Pattern.compile("wx[a-z2-7]{26}");
    private static final Pattern KEY = Pattern.compile("[!-~]{1,128}");

    private final Provider provider;

    Compute(Provider provider) {
        this.provider = provider;
    }

    /**
     * Starts an execution of an agreement, in the version of the workflow that was bought. It is started at the address in the
     * document of the data set, which is proved; its owner may have moved it since the purchase.
     *
     * @param agreement its id, 64 hexadecimal digits
     * @param idempotencyKey names this run in your own system, such as the id of a scheduler's run: 1 to 128 letters, digits
     *     or signs of ASCII. The same key finds the execution that was started first, also from another process or SDK, so a
     *     retried task does not start a second one
     * @throws InsituException {@code AgreementUnknown}, {@code AgreementNotGranted}, {@code AgreementExpired},
     *     {@code NotConsumer}, {@code ExecutionInProgress}, {@code ExecutionLimitReached}, {@code IdempotencyConflict} if the
     *     key named another request, {@code InvalidId}, or the reason why the workflow may no longer run
     * @throws InterruptedException if this thread is interrupted; the same key finds what was started
     */
    public Execution execute(String agreement, String idempotencyKey) throws InterruptedException {
        if (!KEY.matcher(idempotencyKey).matches()) {
            throw new IllegalArgumentException("an idempotency key has 1 to 128 letters, digits or signs of ASCII");
        }
        return execute(agreement, idempotencyKey, null);
    }

    /** Starts an execution in a version of the workflow, or without a checksum in the one that was bought. */
    Execution execute(String agreement, String idempotencyKey, @Nullable String workflowChecksum)
            throws InterruptedException {
        AgreementId id = new AgreementId(agreement);
        Gateway gateway = provider.agreements().gatewayOf(id);
        // As every SDK writes it, because a key belongs to one request.
        Did workflow = Did.ofHex(provider.agreements().terms(id).workflowId());
        JsonObject bought = Json.objectOf(Map.of("serviceAgreementId", id.text(), "workflowDid", workflow.text()));
        JsonObject json =
                workflowChecksum == null ? bought : bought.with("workflowChecksum", Json.of(workflowChecksum));
        Map<String, String> headers = Map.of("Idempotency-Key", idempotencyKey);
        String execution = gateway.call(
                "POST",
                "/exec",
                headers,
                json,
                accepted -> accepted.at("workflowExecutionId")
                        .oneOf(id.execution(accepted.at("number").count())));
        return new Execution(gateway, id, execution);
    }

    /**
     * Buys a workflow and starts its first execution; see {@link Agreements#buy(String, BuyOptions)}.
     *
     * @param idempotencyKey as for {@link #execute}
     */
    public Execution run(String workflowDid, BuyOptions how, String idempotencyKey) throws InterruptedException {
        return execute(provider.agreements().buy(workflowDid, how).id().text(), idempotencyKey);
    }

    /**
     * Returns the newest executions that the account may see at the gateway of this client.
     *
     * @param most from 1 to 100
     * @throws InsituException what the gateway refuses with
     * @throws InterruptedException if this thread is interrupted
     */
    public List<ExecutionView> executions(int most) throws InterruptedException {
        return provider.gateway()
                .get(
                        "/compute/executions?limit=" + most,
                        at -> at.at("executions").list(ExecutionView::read));
    }

    /**
     * Returns the handle of an execution by its two ids.
     *
     * @throws InsituException {@code InvalidId}, {@code AgreementUnknown}, and what resolving throws
     * @throws InterruptedException if this thread is interrupted
     */
    public Execution execution(String agreement, String execution) throws InterruptedException {
        if (!EXECUTION.matcher(execution).matches()) {
            throw new InsituException(ErrorCode.InvalidId, "this is not a workflow execution id");
        }
        AgreementId id = new AgreementId(agreement);
        return new Execution(provider.agreements().gatewayOf(id), id, execution);
    }
}
