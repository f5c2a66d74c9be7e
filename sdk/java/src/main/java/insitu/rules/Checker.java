package insitu.rules;

import insitu.ErrorCode;
import insitu.ErrorDefinition;
import insitu.InsituException;
import insitu.Violation;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Collects what is wrong at one place of a document, so that its author sees everything at once. */
final class Checker {
    // Rules that are in the error table themselves; any other broken one is an InvalidDocument.
    private static final Set<String> RULES = Set.of(
            ErrorCode.ManualReviewNotSupported,
            ErrorCode.NoComputeService,
            ErrorCode.OutputDidNotSupported,
            ErrorCode.PolicyNotUnderstood,
            ErrorCode.ServerAmbiguous,
            ErrorCode.ServerInstancesNotSupported,
            ErrorCode.StageOrder,
            ErrorCode.TimelockNotSupported,
            ErrorCode.TooManyStages);

    private final String pointer;
    private final List<Violation> problems;

    Checker(String pointer) {
        this(pointer, new ArrayList<>());
    }

    private Checker(String pointer, List<Violation> problems) {
        this.pointer = pointer;
        this.problems = problems;
    }

    /** Reads a value: where it is, and the list of what is refused in it. */
    interface Reader<T> {
        T read(JsonValue value, String pointer, List<Violation> refused);
    }

    /** Returns a checker for a member or item below this place, which reports into the same list. */
    Checker at(String... segments) {
        StringBuilder path = new StringBuilder();
        for (String segment : segments) {
            path.append('/').append(Json.pointerSegment(segment));
        }
        return below(path.toString());
    }

    /** Returns a checker for an item of the list here. */
    Checker at(int position) {
        return below("/" + position);
    }

    /** Returns a checker for the place that a pointer leads to from here. */
    Checker below(String path) {
        return new Checker(pointer + path, problems);
    }

    /** Returns the first characters (code points) of a text. */
    static String beginning(String text, int most) {
        return text.substring(0, text.offsetByCodePoints(0, Math.min(most, text.codePointCount(0, text.length()))));
    }

    /** Reports that this place breaks a rule. */
    void report(String code, String message) {
        if (problems.size() < Place.MOST_PROBLEMS) {
            problems.add(new Violation(pointer, code, message));
        }
    }

    /** Reports unless a condition holds, and returns the condition. */
    boolean require(boolean holds, String code, String message) {
        if (!holds) {
            report(code, message);
        }
        return holds;
    }

    /** Reports what is wrong, the end of a sentence or a sentence, if anything is. */
    void requireNone(Optional<String> problem, String code, String before) {
        problem.ifPresent(message -> report(code, before + message));
    }

    /** Returns what some work gives; if it refuses, reports that here and returns null. */
    <T> @Nullable T attempt(Supplier<T> work, String code) {
        try {
            return work.get();
        } catch (InsituException refusal) {
            report(code, refusal.detail());
            return null;
        }
    }

    /** Reads the value of this place, reports everything that is of the wrong type in it, and returns null then. */
    <T> @Nullable T read(JsonValue value, Reader<T> reader) {
        List<Violation> refused = new ArrayList<>();
        T read = null;
        try {
            read = reader.read(value, pointer, refused);
        } catch (InsituException refusal) {
            refused.addAll(refusal.problems());
        }
        problems.addAll(refused.subList(0, Math.min(refused.size(), Place.MOST_PROBLEMS - problems.size())));
        return refused.isEmpty() ? read : null;
    }

    /**
     * Throws an error with all problems if anything was reported. Its code is the one that all of them share, if that is
     * in the error table, and otherwise {@code InvalidDocument}.
     */
    void throwIfAny() {
        if (problems.isEmpty()) {
            return;
        }
        Violation first = problems.get(0);
        boolean isShared = problems.stream().allMatch(problem -> problem.code().equals(first.code()));
        String code = isShared && RULES.contains(first.code()) ? first.code() : ErrorCode.InvalidDocument;
        throw new InsituException(ErrorDefinition.of(code), first.message(), first.pointer(), problems, Map.of(), null);
    }
}
