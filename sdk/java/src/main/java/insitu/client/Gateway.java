package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.internal.http.Body;
import insitu.internal.http.EventFollower;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Calls one gateway for one account. */
record Gateway(Http http, String url, Session session) {
    static final String BASE = "/api/v1/gateway/services";

    private interface Authorised<T> {
        T call(String token) throws InterruptedException;
    }

    /** Calls with a token. One that the gateway no longer accepts is replaced once. */
    <T> T call(String method, String path, Map<String, String> more, @Nullable JsonObject json, Function<Place, T> read)
            throws InterruptedException {
        return authorised(token -> {
            Map<String, String> headers = headers(token, "application/json", more);
            if (json != null) {
                headers.put("Content-Type", "application/json");
            }
            byte[] body = json == null ? null : Json.canonical(json);
            // What is posted here carries an idempotency key.
            return http.call(new Call(method, address(path), headers, body, json != null), read);
        });
    }

    /** Asks something for which no token is needed; repeating it is harmless. */
    <T> T ask(String path, JsonObject json, Function<Place, T> read) throws InterruptedException {
        return http.call(Call.json("POST", address(path), json, true), read);
    }

    /** Stores bytes with a token, and returns their url. */
    String upload(byte[] content) throws InterruptedException {
        Map<String, String> type = Map.of("Content-Type", "application/octet-stream");
        JsonObject stored = authorised(token -> {
            Map<String, String> headers = headers(token, "application/json", type);
            return http.call(new Call("POST", address("/upload"), headers, content, true), Place::object);
        });
        String digest = Bytes.digits(Hashes.sha256(content));
        if (!Json.of(digest).equals(stored.get("sha256"))) {
            String detail = "the gateway stored other bytes than those with SHA-256 " + digest;
            throw new InsituException(ErrorCode.ChecksumMismatch, detail);
        }
        return Place.of(stored).at("url").text();
    }

    /** Lets the gateway seal a list of files for a DID: a new one with its checksums, or one that the account owns. */
    String seal(String did, @Nullable Map<String, String> checksums, List<JsonObject> files)
            throws InterruptedException {
        JsonObject asked = Json.objectOf(Map.of("did", did, "files", files));
        JsonObject json = checksums == null ? asked : asked.with("checksum", Json.of(checksums));
        return call(
                "POST",
                "/encrypt",
                Map.of(),
                json,
                at -> at.at("encryptedFiles").text());
    }

    /** Returns the address of the gateway that has an endpoint of a compute service. */
    static String urlOf(String endpoint) {
        for (String path : List.of("/compute/exec", "/execute", "/exec")) {
            if (endpoint.endsWith(BASE + path)) {
                return endpoint.substring(0, endpoint.length() - (BASE + path).length());
            }
        }
        String shown = Json.text(Json.of(endpoint.substring(0, Math.min(200, endpoint.length()))));
        throw new InsituException(ErrorCode.InvalidDocument, shown + " is not an endpoint of a compute service");
    }

    /** Reads something with a token. */
    <T> T get(String path, Function<Place, T> read) throws InterruptedException {
        return call("GET", path, Map.of(), null, read);
    }

    /** Opens a file with a token. */
    Body file(String path) throws InterruptedException {
        return authorised(token -> http.open(Call.get(address(path), headers(token, "*/*", Map.of()))));
    }

    /** Follows a stream of events behind one of them. */
    EventFollower events(String path, @Nullable String after) {
        String[] used = {null};
        return new EventFollower(
                (lastEventId, freshToken) -> {
                    used[0] = session.token(freshToken ? used[0] : null);
                    Map<String, String> more = lastEventId == null ? Map.of() : Map.of("Last-Event-ID", lastEventId);
                    return http.open(Call.get(address(path), headers(used[0], "text/event-stream", more)));
                },
                after);
    }

    private <T> T authorised(Authorised<T> call) throws InterruptedException {
        String token = session.token(null);
        try {
            return call.call(token);
        } catch (InsituException refusal) {
            if (!refusal.kind().equals("TokenError")) {
                throw refusal;
            }
            return call.call(session.token(token));
        }
    }

    private URI address(String path) {
        return Http.address(url + BASE + path);
    }

    private static Map<String, String> headers(String token, String accept, Map<String, String> more) {
        Map<String, String> headers = new HashMap<>(more);
        headers.put("Authorization", "Bearer " + token);
        headers.put("Accept", accept);
        return headers;
    }
}
