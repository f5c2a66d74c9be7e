import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import insitu.InsituException;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/** A proxy between the clients of this program and all servers, which lies as it is told. */
public final class LyingProxy {
    /** Changes an answer: of a path, to a question. */
    public interface Lie {
        JsonValue told(String path, String question, JsonObject truth);
    }

    /** What a client does. */
    public interface Act {
        void run() throws InterruptedException;
    }

    public static final Lie TRUTH = (path, question, truth) -> truth;

    /** How it lies now. */
    public static volatile Lie lie = TRUTH;
    /** Which address it asks instead of another one. */
    public static volatile UnaryOperator<String> detour = UnaryOperator.identity();
    /** After which path and question this program is killed: the server has answered, and the client hears nothing. */
    public static volatile BiPredicate<String, String> killed = (path, question) -> false;
    /** How many purchases it passed on. */
    public static final AtomicInteger RELAYED = new AtomicInteger();

    private static final HttpClient DIRECT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();

    private LyingProxy() {}

    /** Starts it; every client that is made afterwards goes through it. */
    public static void start() throws IOException, InterruptedException {
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.setExecutor(Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work);
            thread.setDaemon(true);
            return thread;
        }));
        proxy.createContext("/", LyingProxy::pass);
        Thread starting = new Thread(proxy::start); // its own thread takes after this one, and ends with the program
        starting.setDaemon(true);
        starting.start();
        starting.join();
        ProxySelector.setDefault(ProxySelector.of(proxy.getAddress()));
    }

    /** Returns the code with which something is refused while it lies, or ok. */
    public static String code(Lie told, Act act) throws InterruptedException {
        lie = told;
        try {
            act.run();
            return "ok";
        } catch (InsituException refusal) {
            return refusal.code();
        } finally {
            lie = TRUTH;
            detour = UnaryOperator.identity();
        }
    }

    /** Returns the same while it asks other addresses. */
    public static String code(UnaryOperator<String> other, Act act) throws InterruptedException {
        detour = other;
        return code(TRUTH, act);
    }

    /** Returns the same while it asks for one text in place of another in every address. */
    public static String code(String asked, String instead, Act act) throws InterruptedException {
        return code(address -> address.replace(asked, instead), act);
    }

    /** Returns a lie about the answers of one path. */
    public static Lie answer(String path, UnaryOperator<JsonObject> change) {
        return (asked, question, truth) -> asked.contains(path) ? change.apply(truth) : truth;
    }

    private static void pass(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        byte[] question = exchange.getRequestBody().readAllBytes();
        URI address = URI.create(detour.apply(exchange.getRequestURI().toString()));
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(question));
        List.of("Accept", "Authorization", "Content-Type", "Idempotency-Key").forEach(name -> {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
                request.header(name, value);
            }
        });
        if (exchange.getRequestMethod().equals("POST") && path.endsWith("/agreements")) {
            RELAYED.incrementAndGet();
        }
        try {
            HttpResponse<byte[]> response = DIRECT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            if (killed.test(path, new String(question))) {
                Runtime.getRuntime().halt(9);
            }
            byte[] body = response.body();
            int status = response.statusCode();
            if (body.length > 0 && body[0] == '{') {
                JsonObject truth = (JsonObject) Json.read(body);
                JsonValue said = lie.told(path, new String(question), truth);
                if (!said.equals(truth)) {
                    body = Json.canonical(said);
                    status = 200;
                }
            }
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        } finally {
            exchange.close();
        }
    }
}
