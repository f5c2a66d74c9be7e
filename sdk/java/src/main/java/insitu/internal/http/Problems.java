package insitu.internal.http;

import insitu.ErrorCode;
import insitu.ErrorDefinition;
import insitu.InsituException;
import insitu.Violation;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a server says about a refusal (RFC 9457), as an error. */
public final class Problems {
    // The class of a problem by its status; other refusals are about the input.
    private static final Map<Integer, String> KINDS = Map.of(
            401, "NotAllowed",
            402, "Conflict",
            403, "NotAllowed",
            404, "NotFound",
            409, "Conflict",
            410, "NotFound",
            429, "LimitReached",
            503, "Unavailable",
            504, "Unavailable");

    private Problems() {}

    /** Returns the server's problem. A proxy in between does not send problem documents. */
    static InsituException of(int status, byte[] body, URI address) {
        try {
            return read(status, Place.of(Json.read(body)));
        } catch (InsituException notAProblem) {
            if (status == 404) {
                return new InsituException(ErrorCode.NotFound, address.getAuthority() + " answered with status 404");
            }
            String what = status / 100 == 3 ? "redirects" : "answered with status " + status;
            return unavailable(address, what, null);
        }
    }

    /** Returns the problem in JSON that a server sends, also in the middle of a stream. */
    public static InsituException read(int status, Place at) {
        String code = at.at("code").text();
        ErrorDefinition known = ErrorDefinition.of(code);
        ErrorDefinition said = new ErrorDefinition(
                code,
                kindOf(code, status),
                status,
                known.what(),
                at.at("nextStep").orElse(known.nextStep(), Place::text),
                at.at("retry").orElse(known.retry(), Place::flag));
        JsonObject context = at.at("context").orElse(JsonObject.EMPTY, Place::object);
        return new InsituException(
                said,
                at.at("detail").orElse("", Place::text),
                at.at("pointer").optional(Place::text),
                at.at("problems").orElse(List.of(), problems -> problems.list(Problems::violation)),
                context.members().entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey,
                                fact -> fact.getValue() instanceof JsonString text
                                        ? text.value()
                                        : Json.text(fact.getValue()))),
                null);
    }

    private static Violation violation(Place at) {
        return new Violation(
                at.at("pointer").text(), at.at("code").text(), at.at("message").text());
    }

    private static String kindOf(String code, int status) {
        ErrorDefinition known = ErrorDefinition.all().get(code);
        if (known != null) {
            return known.kind();
        }
        String other = status < 500 ? "InvalidInput" : "Failure";
        return KINDS.getOrDefault(status, other);
    }

    /** Returns the error of a server that does not answer as it should. */
    static InsituException unavailable(URI address, String what, @Nullable Throwable cause) {
        ErrorDefinition definition = ErrorDefinition.of(ErrorCode.PeerUnavailable);
        return new InsituException(definition, address.getAuthority() + " " + what, null, List.of(), Map.of(), cause);
    }
}
