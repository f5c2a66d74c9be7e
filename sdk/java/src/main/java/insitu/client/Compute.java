package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.Map;
import java.util.regex.Pattern;

/** Runs bought agreements. */
public final class Compute {
    private static final Pattern EXECUTION = Pattern.compile("wx[a-z2-7]{26}");
    private static final Pattern KEY = Pattern.compile("[!-~]{1,128}");

    private final Gateway gateway;

    Compute(Gateway gateway) {
        this.gateway = gateway;
    }

    /**
     * Starts an execution of an agreement, in the version of the workflow that was bought.
     *
     * @param agreement its id, 64 hexadecimal digits
     * @param idempotencyKey names this run in your own system, such as the id of a scheduler's run: 1 to 128 letters, digits
     *     or signs of ASCII. The same key finds the execution that was started first, also from another process, so a
     *     retried task does not start a second one
     * @throws InsituException {@code AgreementUnknown}, {@code AgreementNotGranted}, {@code AgreementExpired},
     *     {@code NotConsumer}, {@code ExecutionInProgress}, {@code ExecutionLimitReached}, {@code InvalidId}, or the reason
     *     why the workflow may no longer run
     * @throws InterruptedException if this thread is interrupted; the same key finds what was started
     */
    public Execution execute(String agreement, String idempotencyKey) throws InterruptedException {
        if (!KEY.matcher(idempotencyKey).matches()) {
            throw new IllegalArgumentException("an idempotency key has 1 to 128 letters, digits or signs of ASCII");
        }
        AgreementId id = new AgreementId(agreement);
        JsonObject json = Json.objectOf(Map.of("serviceAgreementId", id.text()));
        Map<String, String> headers = Map.of("Idempotency-Key", idempotencyKey);
        String execution = gateway.call(
                "POST",
                "/exec",
                headers,
                json,
                accepted -> accepted.at("workflowExecutionId").matching(EXECUTION, "the id of an execution"));
        return new Execution(gateway, id, execution);
    }

    /**
     * Returns the handle of an execution by its two ids. Nothing is asked.
     *
     * @throws InsituException {@code InvalidId}
     */
    public Execution execution(String agreement, String execution) {
        if (!EXECUTION.matcher(execution).matches()) {
            throw new InsituException(ErrorCode.InvalidId, "this is not a workflow execution id");
        }
        return new Execution(gateway, new AgreementId(agreement), execution);
    }
}
