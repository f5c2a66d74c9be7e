package insitu.internal.http;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Calls servers: safe retries, problem documents as errors, bounded answers, no redirects. */
public final class Http implements AutoCloseable {
    private static final int ATTEMPTS = 4;
    private static final int REDIRECTS = 5;
    private static final int MAX_ANSWER = 32 * 1024 * 1024;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
    private static final Set<String> REPEATABLE = Set.of("DELETE", "GET");
    private static final Set<Integer> NOT_NOW = Set.of(429, 502, 503, 504);

    private final HttpClient client;
    private final Bounds bounds;

    /**
     * One call.
     *
     * @param body what is sent, with its type in the headers; null for nothing
     * @param isRepeatable repeating it is harmless, although its method does not promise it
     */
    public record Call(
            String method, URI address, Map<String, String> headers, byte @Nullable [] body, boolean isRepeatable) {
        /** Returns a call that reads something. */
        public static Call get(URI address, Map<String, String> headers) {
            return new Call("GET", address, headers, null, true);
        }

        /** Returns a call that sends JSON to a server that needs no token. */
        public static Call json(String method, URI address, JsonObject body, boolean isRepeatable) {
            Map<String, String> headers = Map.of("Accept", "application/json", "Content-Type", "application/json");
            return new Call(method, address, headers, Json.canonical(body), isRepeatable);
        }
    }

    private record Answer(int status, byte[] body, Duration pause, String location) {}

    /** Makes a client with these bounds. */
    public Http(Bounds bounds) {
        this.bounds = bounds;
        // HTTP/1.1, because the client otherwise asks every plain server for another protocol first.
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(bounds.connect())
                .build();
    }

    /**
     * Returns the address of a text.
     *
     * @throws InsituException {@code InvalidRequest} if it is not a URL of http or https
     */
    public static URI address(String text) {
        try {
            URI address = URI.create(text);
            if (Set.of("http", "https").contains(String.valueOf(address.getScheme())) && address.getHost() != null) {
                return address;
            }
        } catch (IllegalArgumentException notAnAddress) {
            // The sentence below says it.
        }
        throw new InsituException(
                ErrorCode.InvalidRequest, Json.text(Json.of(text)) + " is not a URL of http or https");
    }

    /**
     * Calls, and reads the JSON of the answer; an empty one is null.
     *
     * @throws InsituException the server's problem, and {@code PeerUnavailable} if it does not answer in time, redirects, or
     *     answers with something else or with more than 32 MiB
     */
    public <T> T call(Call call, Function<Place, T> read) throws InterruptedException {
        return read(call, answer(call, false).body(), read);
    }

    /**
     * Reads a document from where the registry says, without a token, also if it was moved. What it says has to be proved.
     * Throws like {@link #call}.
     */
    public <T> T document(URI address, Function<Place, T> read) throws InterruptedException {
        Call call = Call.get(address, Map.of("Accept", "application/json"));
        Answer answer = answer(call, true);
        for (int left = REDIRECTS; answer.status() / 100 == 3; left--) {
            call = Call.get(address(call.address().resolve(answer.location()).toString()), call.headers());
            answer = answer(call, left > 1);
        }
        return read(call, answer.body(), read);
    }

    private static <T> T read(Call call, byte[] body, Function<Place, T> read) {
        try {
            JsonValue json = body.length == 0 ? JsonNull.NULL : Json.read(body);
            return read.apply(Place.of(json));
        } catch (InsituException cause) {
            String what = "sent an unexpected answer: " + cause.pointer().orElse("") + " " + cause.detail();
            throw Problems.unavailable(call.address(), what, cause);
        }
    }

    private Answer answer(Call call, boolean mayBeElsewhere) throws InterruptedException {
        boolean isRepeatable = call.isRepeatable() || REPEATABLE.contains(call.method());
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++) {
            Duration asked = Duration.ZERO;
            InsituException refusal;
            try {
                Answer answer = attempt(call);
                boolean isElsewhere =
                        answer.status() / 100 == 3 && answer.location().matches("\\S+");
                if (answer.status() / 100 == 2 || (isElsewhere && mayBeElsewhere)) {
                    return answer;
                }
                refusal = Problems.of(answer.status(), answer.body(), call.address());
                isRepeatable = isRepeatable && NOT_NOW.contains(answer.status());
                asked = answer.pause();
            } catch (InsituException unavailable) {
                refusal = unavailable;
            }
            Duration wait = asked.compareTo(pause) > 0 ? asked : pause;
            // A server that asks for a longer wait says that trying again earlier is useless.
            if (attempt == ATTEMPTS || !isRepeatable || wait.compareTo(LONGEST_PAUSE) > 0) {
                throw refusal;
            }
            TimeUnit.NANOSECONDS.sleep(wait.toNanos());
            pause = pause.multipliedBy(3);
        }
    }

    private Answer attempt(Call call) throws InterruptedException {
        HttpResponse<Flow.Publisher<List<ByteBuffer>>> response = send(call);
        byte[] body = bodyOf(call, response).all(MAX_ANSWER, bounds.call());
        String seconds = response.headers().firstValue("Retry-After").orElse("");
        Duration pause = seconds.matches("\\d{1,5}") ? Duration.ofSeconds(Long.parseLong(seconds)) : Duration.ZERO;
        String location = response.headers().firstValue("Location").orElse("");
        return new Answer(response.statusCode(), body, pause, location);
    }

    /**
     * Opens an answer without an end, or a long one. Nothing is repeated.
     *
     * @throws InsituException the server's problem, and {@code PeerUnavailable} if it does not answer or redirects
     */
    public Body open(Call call) throws InterruptedException {
        Body body = bodyOf(call, send(call));
        if (body.status() / 100 == 2) {
            return body;
        }
        throw Problems.of(body.status(), body.all(MAX_ANSWER, bounds.call()), call.address());
    }

    private Body bodyOf(Call call, HttpResponse<Flow.Publisher<List<ByteBuffer>>> response) {
        Body body = new Body(call.address(), response.statusCode(), bounds.silence());
        response.body().subscribe(body);
        return body;
    }

    private HttpResponse<Flow.Publisher<List<ByteBuffer>>> send(Call call) throws InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(call.address())
                .method(
                        call.method(),
                        call.body() == null
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(call.body()));
        call.headers().forEach(request::header);
        CompletableFuture<HttpResponse<Flow.Publisher<List<ByteBuffer>>>> sent =
                client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofPublisher());
        try {
            return sent.get(bounds.headers().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException cause) {
            throw Problems.unavailable(call.address(), "is silent", cause);
        } catch (ExecutionException cause) {
            throw Problems.unavailable(call.address(), "does not answer", cause.getCause());
        } finally {
            sent.cancel(true); // if it is not done
        }
    }

    /** Ends every call, where the JDK can do so (21 and newer); before, its threads end when nobody holds this any more. */
    @Override
    public void close() {
        try {
            HttpClient.class.getMethod("shutdownNow").invoke(client);
        } catch (NoSuchMethodException before21) {
            return;
        } catch (IllegalAccessException | InvocationTargetException cause) {
            throw new IllegalStateException("the client cannot be shut down", cause);
        }
    }
}
