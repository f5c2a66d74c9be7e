package insitu.internal.http;

import insitu.InsituException;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of an answer as they come. The JDK bounds only the time until the headers, so a server that stops in the middle is
 * noticed here. Closing it from any thread ends a wait.
 */
public final class Body implements Flow.Subscriber<List<ByteBuffer>>, AutoCloseable {
    private record Piece(byte @Nullable [] bytes, @Nullable Throwable failure) {}

    private static final Piece END = new Piece(null, null);

    private final URI address;
    private final int status;
    private final Duration silence;
    private final BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private Flow.@Nullable Subscription subscription;
    private boolean isClosed;

    Body(URI address, int status, Duration silence) {
        this.address = address;
        this.status = status;
        this.silence = silence;
    }

    /** Returns the HTTP status. */
    public int status() {
        return status;
    }

    /**
     * Returns the next bytes, or null at the end.
     *
     * @throws InsituException {@code PeerUnavailable} if the server breaks off or nothing comes for long
     */
    public byte @Nullable [] next() throws InterruptedException {
        return next(silence);
    }

    private byte @Nullable [] next(Duration patience) throws InterruptedException {
        Piece piece = pieces.poll(Math.max(0, patience.toNanos()), TimeUnit.NANOSECONDS);
        if (piece == null) {
            close();
            throw Problems.unavailable(address, "is silent", null);
        }
        if (piece.failure() != null && !isClosed()) {
            throw Problems.unavailable(address, "broke off", piece.failure());
        }
        if (piece.bytes() == null) {
            pieces.add(END); // for whoever asks again
            return null;
        }
        request();
        return piece.bytes();
    }

    /**
     * Returns the whole answer.
     *
     * @throws InsituException {@code PeerUnavailable} as {@link #next}, or if it is too long or takes too long
     */
    byte[] all(int most, Duration longest) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        try (this) {
            while (true) {
                Duration left = Duration.ofNanos(deadline - System.nanoTime());
                byte[] piece = next(left.compareTo(silence) < 0 ? left : silence);
                if (piece == null) {
                    return read.toByteArray();
                }
                read.writeBytes(piece);
                if (read.size() > most) {
                    throw Problems.unavailable(address, "answers with more than " + most + " bytes", null);
                }
            }
        }
    }

    @Override
    public synchronized void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (isClosed) {
            given.cancel();
        } else {
            given.request(1);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (ByteBuffer buffer : buffers) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            joined.writeBytes(bytes);
        }
        pieces.add(new Piece(joined.toByteArray(), null));
    }

    @Override
    public void onError(Throwable failure) {
        pieces.add(new Piece(null, failure));
    }

    @Override
    public void onComplete() {
        pieces.add(END);
    }

    private synchronized boolean isClosed() {
        return isClosed;
    }

    private synchronized void request() {
        if (subscription != null && !isClosed) {
            subscription.request(1);
        }
    }

    /** Lets go of the connection; whoever waits for bytes is told that there are no more. */
    @Override
    public synchronized void close() {
        isClosed = true;
        if (subscription != null) {
            subscription.cancel();
        }
        pieces.add(END);
    }
}
