package insitu.client;

import insitu.internal.http.Http;

/** A client of one gateway for one account. It may be used by several threads; close it when it is no longer needed. */
public final class Client implements AutoCloseable {
    private final Http http;
    private final Gateway gateway;

    Client(Http http, Gateway gateway) {
        this.http = http;
        this.gateway = gateway;
    }

    /** Returns what runs bought agreements. */
    public Compute compute() {
        return new Compute(gateway);
    }

    /**
     * Ends the session at the gateway, if there is one.
     *
     * @throws insitu.InsituException {@code PeerUnavailable}
     * @throws InterruptedException if this thread is interrupted
     */
    public void signOut() throws InterruptedException {
        gateway.session().signOut();
    }

    /** Ends what is going on, and does not sign out: the session ends by itself. */
    @Override
    public void close() {
        http.close();
    }
}
