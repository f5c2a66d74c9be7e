package insitu.client;

import insitu.internal.Place;
import insitu.internal.http.EventFollower;
import insitu.internal.http.ServerEvent;
import insitu.json.Json;
import java.util.Optional;

/**
 * What happens to an execution, as it happens. It resumes by itself after a broken connection, and has to be closed; any
 * thread may close it, and whoever waits for the next event is told that there is none.
 */
public final class EventStream implements AutoCloseable {
    private final EventFollower follower;

    EventStream(EventFollower follower) {
        this.follower = follower;
    }

    /**
     * Waits for what happens next; empty once the execution has ended and everything after that is done.
     *
     * @throws insitu.InsituException {@code PeerUnavailable} if the gateway stays away, what it refuses with
     * @throws InterruptedException if this thread is interrupted
     */
    public Optional<Happened> next() throws InterruptedException {
        ServerEvent event = follower.next();
        if (event == null || event.event().equals("end")) {
            return Optional.empty();
        }
        Place data = Place.of(Json.read(event.data()));
        return Optional.of(new Happened(event.id(), event.event().equals("log"), data.object()));
    }

    @Override
    public void close() {
        follower.close();
    }
}
