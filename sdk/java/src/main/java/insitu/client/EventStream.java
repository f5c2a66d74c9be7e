package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Place;
import insitu.internal.http.EventFollower;
import insitu.internal.http.ServerEvent;
import insitu.json.Json;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What happens to an execution, as it happens. It resumes by itself after a broken connection, and has to be closed; any
 * thread may close it, and whoever waits for the next event is told that there is none.
 */
public final class EventStream implements AutoCloseable {
    private final EventFollower follower;
    private final Consumer<Place> requireOwn;

    EventStream(EventFollower follower, Consumer<Place> requireOwn) {
        this.follower = follower;
        this.requireOwn = requireOwn;
    }

    /**
     * Waits for what happens next; empty once the execution has ended and everything after that is done.
     *
     * @throws insitu.InsituException {@code PeerUnavailable} if the gateway stays away or tells of something else, what it
     *     refuses with
     * @throws InterruptedException if this thread is interrupted
     */
    public Optional<Happened> next() throws InterruptedException {
        ServerEvent event = follower.next();
        if (event == null || event.event().equals("end")) {
            return Optional.empty();
        }
        try {
            Place data = Place.of(Json.read(event.data()));
            boolean isLog = event.event().equals("log");
            data.at(isLog ? "text" : "type").text();
            if (!isLog) {
                requireOwn.accept(data);
            }
            return Optional.of(new Happened(event.id(), isLog, data.object()));
        } catch (InsituException cause) {
            String detail = "the stream tells of something else than this execution: " + cause.detail();
            throw new InsituException(ErrorCode.PeerUnavailable, detail, cause);
        }
    }

    @Override
    public void close() {
        follower.close();
    }
}
