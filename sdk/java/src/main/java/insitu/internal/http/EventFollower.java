package insitu.internal.http;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Place;
import insitu.json.Json;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads events until the server says {@code end}, resuming after a broken connection or an expired token. */
public final class EventFollower implements AutoCloseable {
    /** Opens the stream behind an event (null: at its start), with a fresh token if the one before has expired. */
    @FunctionalInterface
    public interface Connect {
        /** Returns the bytes as they arrive. A status of 204 says that there is nothing more. */
        Body open(@Nullable String lastEventId, boolean freshToken) throws InterruptedException;
    }

    /** Waits before another connection. */
    @FunctionalInterface
    public interface Pause {
        /** Waits. */
        void sleep(Duration length) throws InterruptedException;
    }

    // Connections in a row that may bring nothing before the server counts as gone; about half a minute.
    private static final int SILENT_ATTEMPTS = 8;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(800);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
    private static final Duration ALIVE = Duration.ofSeconds(10);

    private final Connect connect;
    private final Pause pause;
    private final Deque<ServerEvent> ready = new ArrayDeque<>();
    private EventParser parser = new EventParser();
    private @Nullable String lastId;
    private boolean freshToken;
    private int fruitless;
    private long opened;
    private volatile @Nullable Body body;
    private volatile boolean isOver;

    /** Follows a stream behind an event; null begins at the start. */
    public EventFollower(Connect connect, @Nullable String after) {
        this(connect, after, length -> TimeUnit.NANOSECONDS.sleep(length.toNanos()));
    }

    /** Follows a stream with other pauses. */
    public EventFollower(Connect connect, @Nullable String after, Pause pause) {
        this.connect = connect;
        this.lastId = after;
        this.pause = pause;
    }

    /**
     * Returns the next event, or null after the last one.
     *
     * @throws InsituException what the server refuses with, and {@code PeerUnavailable} if it stays away
     */
    public @Nullable ServerEvent next() throws InterruptedException {
        while (!isOver) {
            try {
                ServerEvent event = read();
                if (event != null) {
                    return event;
                }
            } catch (InsituException refusal) {
                freshToken = helpsFreshToken(refusal);
            }
            if (!isOver) {
                reconnect();
            }
        }
        return null;
    }

    // The next event of this connection, or null if it is over.
    private @Nullable ServerEvent read() throws InterruptedException {
        Body open = body;
        if (open == null) {
            opened = System.nanoTime();
            open = connect.open(lastId, freshToken);
            body = open;
            freshToken = false;
            if (isOver || open.status() == 204) {
                close(); // perhaps another thread did while the connection was opened
            }
        }
        while (!isOver) {
            ServerEvent event = ready.poll();
            if (event != null) {
                return take(event);
            }
            byte[] piece = open.next();
            if (piece == null) {
                return null;
            }
            ready.addAll(parser.feed(piece));
        }
        return null;
    }

    private @Nullable ServerEvent take(ServerEvent event) {
        fruitless = 0;
        if (event.event().equals("error")) {
            isOver = true;
            throw problemOf(event.data());
        }
        if (event.event().equals("token-expired")) {
            freshToken = true;
            return null;
        }
        lastId = event.id() == null ? lastId : event.id();
        if (event.event().equals("end")) {
            close();
        }
        return event;
    }

    private void reconnect() throws InterruptedException {
        letGo();
        ready.clear();
        parser = new EventParser();
        fruitless = System.nanoTime() - opened > ALIVE.toNanos() ? 0 : fruitless + 1;
        if (fruitless > SILENT_ATTEMPTS) {
            isOver = true;
            throw new InsituException(
                    ErrorCode.PeerUnavailable, "the server does not answer, or keeps ending the stream");
        }
        // A second connection follows at once; later ones wait longer each time.
        if (fruitless > 1) {
            Duration longer = FIRST_PAUSE.multipliedBy(1L << (fruitless - 2));
            pause.sleep(longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE);
        }
    }

    // Whether a fresh token helps. Throws an error that another connection cannot help.
    private boolean helpsFreshToken(InsituException refusal) {
        boolean isRefused = refusal.kind().equals("TokenError");
        if (isRefused && !freshToken && !isOver) {
            return true;
        }
        if (isOver || isRefused || !refusal.retry()) {
            isOver = true;
            letGo();
            throw refusal;
        }
        return false; // a broken connection
    }

    private static InsituException problemOf(String data) {
        try {
            return Problems.read(500, Place.of(Json.read(data)));
        } catch (InsituException notAProblem) {
            return new InsituException(ErrorCode.PeerUnavailable, "the stream ended with an error");
        }
    }

    private void letGo() {
        Body open = body;
        body = null;
        if (open != null) {
            open.close();
        }
    }

    /** Lets go of the connection. Whoever waits in {@link #next} gets null. */
    @Override
    public void close() {
        isOver = true;
        letGo();
    }
}
