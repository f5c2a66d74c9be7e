package insitu.internal.http;

import java.time.Duration;

/**
 * How long a server may take.
 *
 * @param connect until a connection is open
 * @param headers until it begins to answer
 * @param silence between two pieces of its answer
 * @param call for a whole answer; downloads and streams of events take as long as they take
 */
public record Bounds(Duration connect, Duration headers, Duration silence, Duration call) {
    /** Those of a client that says nothing else. */
    public static final Bounds DEFAULT =
            new Bounds(Duration.ofSeconds(10), Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofMinutes(10));
}
