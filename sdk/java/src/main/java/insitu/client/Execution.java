package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.internal.Place;
import insitu.json.JsonObject;
import insitu.receipt.Envelope;
import insitu.receipt.Receipts;
import insitu.receipt.Statement;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An execution at a gateway. The two ids are all of it, so it can be made again at any time, from anywhere. */
public final class Execution {
    private final Gateway gateway;
    private final AgreementId agreement;
    private final String id;

    Execution(Gateway gateway, AgreementId agreement, String id) {
        this.gateway = gateway;
        this.agreement = agreement;
        this.id = id;
    }

    /** Returns the workflowExecutionId (E4). */
    public String id() {
        return id;
    }

    /** Returns the agreement that pays for it. */
    public AgreementId agreement() {
        return agreement;
    }

    /**
     * Returns where it stands, and why.
     *
     * @throws InsituException {@code ExecutionUnknown}, {@code NotConsumer}, {@code PeerUnavailable}
     * @throws InterruptedException if this thread is interrupted
     */
    public ExecutionView status() throws InterruptedException {
        return gateway.get(path("status"), this::view);
    }

    /** Stops it. An ended execution stays as it is. Throws like {@link #status}. */
    public ExecutionView stop() throws InterruptedException {
        String path = "/compute/" + agreement + "/" + id;
        return gateway.call("DELETE", path, Map.of(), null, this::view);
    }

    /** Returns its events and what its stages print, from the beginning. There is no log if an owner's policy hides it. */
    public EventStream stream() {
        return stream(null);
    }

    /** Returns its events behind one of them, which {@link Happened#id} names; see {@link #stream()}. */
    public EventStream stream(@Nullable String after) {
        return new EventStream(gateway.events(path("stream"), after), this::requireOwn);
    }

    /**
     * Passes on everything that happens until it has ended, and returns its status then.
     *
     * @throws InsituException {@code PeerUnavailable} if the gateway stays away, what it refuses with
     * @throws InterruptedException if this thread is interrupted; the execution goes on
     */
    public ExecutionView follow(Consumer<Happened> listener) throws InterruptedException {
        try (EventStream stream = stream()) {
            for (Optional<Happened> one = stream.next(); one.isPresent(); one = stream.next()) {
                listener.accept(one.get());
            }
        }
        return status();
    }

    /** Returns its status once it has ended and everything after that is done. Throws like {@link #follow}. */
    public ExecutionView waitUntilEnded() throws InterruptedException {
        return follow(happened -> {});
    }

    /**
     * Saves the files of its result into a new or an empty folder. Each is hashed while it arrives, and is there completely
     * or not at all.
     *
     * @throws InsituException {@code FolderNotEmpty} before anything is fetched, {@code ExecutionNotEnded}, {@code NoResult},
     *     {@code ResultExpired}, {@code DownloadNotAllowed}, {@code ChecksumMismatch}, {@code InvalidDocument} for a name that
     *     is unsafe or the same as another one on some system, {@code StorageFailed}
     * @throws InterruptedException if this thread is interrupted
     */
    public List<ResultFile> download(Path folder) throws InterruptedException {
        return new Download(gateway, folder).save(path("result"));
    }

    /**
     * Returns the signed receipt of this execution. {@link insitu.receipt.Receipts#verify(Envelope)} says what is in it.
     *
     * @throws InsituException {@code ExecutionNotEnded}, {@code ReceiptInvalid} if it is not valid or of another execution, and
     *     what {@link #status} throws
     * @throws InterruptedException if this thread is interrupted
     */
    public Envelope receipt() throws InterruptedException {
        Envelope envelope = Envelope.read(Place.of(receiptView()).at("envelope").object());
        Statement.Predicate said = Receipts.verify(envelope).statement().predicate();
        if (!new AgreementId(said.agreement().serviceAgreementId()).equals(agreement)
                || !said.workflowExecutionId().equals(id)) {
            throw new InsituException(ErrorCode.ReceiptInvalid, "this is the receipt of " + said.workflowExecutionId());
        }
        return envelope;
    }

    /** Returns the receipt as the gateway says it, with what releases the payment, unchecked; see {@link Agreements#release}. */
    public JsonObject receiptView() throws InterruptedException {
        return gateway.get(path("receipt"), Place::object);
    }

    private ExecutionView view(Place at) {
        requireOwn(at);
        return ExecutionView.read(at);
    }

    private void requireOwn(Place at) {
        at.at("serviceAgreementId").oneOf(agreement.text());
        at.at("workflowExecutionId").oneOf(id);
    }

    private String path(String what) {
        return "/compute/" + what + "/" + agreement + "/" + id;
    }

    @Override
    public String toString() {
        return "Execution[" + id + " of " + agreement + "]";
    }
}
