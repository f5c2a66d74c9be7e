package insitu;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Every refusal and failure of this library; {@link #code} says exactly which.
 *
 * <p>Codes are stable and listed in {@link ErrorCode}. A newer server may send one that is not listed: it is kept as it
 * came, so a {@code switch} over codes needs a {@code default}. Wrong arguments are {@link IllegalArgumentException}.
 */
public final class InsituException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String code;
    private final String detail;
    private final @Nullable String pointer;
    private final transient List<Violation> problems;
    private final transient Map<String, String> context;
    private final transient ErrorDefinition definition;

    /**
     * Makes an error.
     *
     * @param code a constant of {@link ErrorCode}
     * @param detail what happened this time, for a person; never a secret or the content of a data set
     */
    public InsituException(String code, String detail) {
        this(ErrorDefinition.of(code), detail, null, List.of(), Map.of(), null);
    }

    /** Makes an error about one place of a document, which a JSON pointer names. */
    public InsituException(String code, String detail, String pointer) {
        this(ErrorDefinition.of(code), detail, pointer, List.of(), Map.of(), null);
    }

    /** Makes an error that another one caused. */
    public InsituException(String code, String detail, Throwable cause) {
        this(ErrorDefinition.of(code), detail, null, List.of(), Map.of(), cause);
    }

    /** Makes an error of all that a server or a document says about it. */
    public InsituException(
            ErrorDefinition definition,
            String detail,
            @Nullable String pointer,
            List<Violation> problems,
            Map<String, String> context,
            @Nullable Throwable cause) {
        super(definition.code() + ": " + detail, cause);
        this.code = definition.code();
        this.detail = detail;
        this.pointer = pointer;
        this.problems = List.copyOf(problems);
        this.context = Map.copyOf(context);
        this.definition = definition;
    }

    /** Returns the stable code. */
    public String code() {
        return code;
    }

    /** Returns what happened this time, for a person. */
    public String detail() {
        return detail;
    }

    /** Returns the class of the error, such as {@code Refusal}: what kind of repair it needs. */
    public String kind() {
        return definition.kind();
    }

    /** Returns what the person who meets the error should do next; empty if nobody said. */
    public String nextStep() {
        return definition.nextStep();
    }

    /** Returns whether the same call may work later. */
    public boolean retry() {
        return definition.retry();
    }

    /** Returns a JSON pointer to the offending member, if the error is about one place of a document. */
    public Optional<String> pointer() {
        return Optional.ofNullable(pointer);
    }

    /** Returns everything that is wrong in a document. */
    public List<Violation> problems() {
        return problems;
    }

    /** Returns facts for programs: ids, the two sides of a comparison. Never a secret. */
    public Map<String, String> context() {
        return context;
    }
}
