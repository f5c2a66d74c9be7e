package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Did;
import insitu.internal.Place;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Calls one catalogue (METADATA-API). Nothing that it says is proved. */
final class Catalogue {
    private static final String ASSETS = "/api/v1/metadata/assets";
    private static final int WAIT_SECONDS = 30;
    private static final int WAITS = 6;

    private final Http http;
    private final String url;

    Catalogue(Http http, String url) {
        this.http = http;
        this.url = url;
    }

    /** Returns its address, without the path of the API. */
    String url() {
        return url;
    }

    /** Returns what is registered as a document's url: {@code {did}} in it stands for the DID (P3). */
    String documents() {
        return url + ASSETS + "/ddo/{did}";
    }

    /** Asks one of the questions that need no account. */
    <T> T ask(String path, JsonObject asked, Function<Place, T> read) throws InterruptedException {
        return http.call(Call.json("POST", Http.address(url + ASSETS + path), asked, true), read);
    }

    AssetStatus status(String did) throws InterruptedException {
        return status(did, "");
    }

    private AssetStatus status(String did, String question) throws InterruptedException {
        try {
            URI address = Http.address(at(did) + "/status" + question);
            return http.call(Call.get(address, Map.of("Accept", "application/json")), AssetStatus::read);
        } catch (InsituException refusal) {
            throw refusal.code().equals(ErrorCode.NotFound)
                    ? new InsituException(ErrorCode.AssetNotFound, "the catalogue does not know " + did, refusal)
                    : refusal;
        }
    }

    /** Returns once a version can be found. */
    void await(String did, String checksum) throws InterruptedException {
        for (int look = 0; look < WAITS; look++) {
            AssetStatus status = status(did, "?checksum=" + checksum + "&wait=" + WAIT_SECONDS);
            boolean isFound = !List.of("pending", "retired").contains(status.state());
            if (isFound && status.checksum().equals(checksum)) {
                return;
            }
        }
        String detail = did + " is registered, but the catalogue does not list it yet";
        throw new InsituException(ErrorCode.AssetNotFound, detail);
    }

    /** Publishes a document. With a key, repeating it finds what was published first. */
    AssetStatus publish(JsonObject document, String key, boolean withoutCompute) throws InterruptedException {
        Map<String, String> headers = key.isEmpty()
                ? Map.of("Content-Type", "application/json")
                : Map.of("Content-Type", "application/json", "Idempotency-Key", key);
        URI address = Http.address(url + ASSETS + "/ddo" + (withoutCompute ? "?withoutCompute=true" : ""));
        return http.call(new Call("POST", address, headers, Json.canonical(document), true), AssetStatus::read);
    }

    /** Publishes a version that the on-chain owner signed. */
    AssetStatus update(String did, JsonObject document) throws InterruptedException {
        return send("PUT", did, "?withoutCompute=true", document);
    }

    /** Sends what an account signed for this catalogue. */
    AssetStatus send(String method, String did, String path, JsonObject signed) throws InterruptedException {
        return http.call(Call.json(method, Http.address(at(did) + path), signed, false), AssetStatus::read);
    }

    private String at(String did) {
        return url + ASSETS + "/ddo/" + new Did(did);
    }
}
